/** What watchers of a bucket are told: the changes that a commit made in their range. */

/** A part of a bucket, in the form that `bucket.range` takes. A bound that is absent does not bound. */
export interface ChangedRange {
  readonly gt?: Buffer;
  readonly gte?: Buffer;
  readonly lt?: Buffer;
  readonly lte?: Buffer;
}

/** What every change tells. */
export interface ChangeBase {
  /** Of the commit that made it: the same for all changes of a commit, greater for later ones. */
  readonly sequence: number;
  readonly bucket: string;
}

/** A key has this value now, be it new or there before. */
export interface PutChange extends ChangeBase {
  readonly type: 'put';
  readonly key: Buffer;
  /** Undefined where the value came as a stream, which is not kept in memory: read it by its key. */
  readonly value: Buffer | undefined;
}

/** A key that was there is gone. */
export interface DeleteChange extends ChangeBase {
  readonly type: 'delete';
  readonly key: Buffer;
}

/** All keys within the bounds are gone. */
export interface DeleteRangeChange extends ChangeBase {
  readonly type: 'deleteRange';
  /** The part of what was deleted that lies in the watched range. */
  readonly bounds: ChangedRange;
}

/** The bucket is gone, and with it every key. */
export interface DropChange extends ChangeBase {
  readonly type: 'drop';
}

/**
 * Entries within the bounds changed without being told one by one: read them again. Bulk loads are told
 * so, and what a transaction did that was under way when the watch began.
 */
export interface LoadChange extends ChangeBase {
  readonly type: 'load';
  /** Where the changes lie, narrowed to the watched range; not every key in it need have changed. */
  readonly bounds: ChangedRange;
}

/** What a commit changed in a watched range; `type` tells which of them it is. */
export type Change = PutChange | DeleteChange | DeleteRangeChange | DropChange | LoadChange;
