//! Stability.
