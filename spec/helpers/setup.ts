// Runs before any spec, and so before any file of lib/ is loaded: turns the costly assertions on, which
// lib/ leaves out unless the environment asks for them when it is loaded.

process.env.BTREE_STORE_ASSERT = '1';
