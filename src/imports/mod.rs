//! What Python would do, without Python.
