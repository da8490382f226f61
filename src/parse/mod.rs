//! Bytes and text to types, with line numbers. Nothing here reads a file.
