//! The ways in which a method uses the examples of a batch.

/// The way in which a method uses the examples of a batch.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum BatchUse {
    /// All examples together.
    Whole,
    /// Micro-batches of so many examples, each with a peak of its own.
    Micro(usize),
    /// All examples in the first pass, and in the second this share of them: those whose loss the
    /// ascent raised most.
    Hardest(f64),
}
