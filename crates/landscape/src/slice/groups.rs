//! Captured parts of the data, in groups that memory holds at once.

use burn::tensor::Tensor;
use derivatives::CapturedLosses;

use crate::error::Error;

/// Points done at once where groups have to be prepared again: preparing costs about as much as
/// the first layer of three points.
const POINTS_PER_TURN: usize = 64;

/// (Point, part) pairs that keep the cores busy; a callback may cancel after that many.
const JOBS: usize = 64;

/// Points for which a part stays in a core's cache, at least.
const POINTS_PER_VISIT: usize = 8;

/// A part of the data with some of the quantities.
#[derive(Debug)]
pub(super) struct Piece {
    /// Positions of the quantities, each with what its mean over the part counts for.
    pub(super) shares: Vec<(usize, f64)>,
    pub(super) examples: usize,
    pub(super) losses: CapturedLosses,
}

/// Captured losses as a program of the coordinates.
pub(super) trait OnPlane<const D: usize>: Sized + Send + Sync {
    /// Prepares the program.
    fn of(
        losses: &CapturedLosses,
        origin: &Tensor<1>,
        directions: [&Tensor<1>; D],
    ) -> Result<Self, derivatives::Error>;

    /// Returns the bytes that are kept.
    fn bytes(&self) -> usize;

    /// Returns the numbers at a point, of one loss after the other.
    fn numbers(&self, point: [f64; D]) -> Vec<f64>;
}

/// A part on the plane, with its quantities and their shares.
pub(super) type Prepared<P> = (Vec<(usize, f64)>, P);

/// The parts of the held batches in groups.
#[derive(Debug)]
pub(super) enum Groups<P> {
    /// One group, prepared.
    Kept(Vec<Prepared<P>>),
    /// Several, to be prepared when it is their turn.
    InTurn(Vec<Vec<Piece>>),
}

impl<P> Groups<P> {
    /// Makes the one that has no part.
    pub(super) const fn empty() -> Self {
        Self::Kept(Vec::new())
    }

    /// Returns the parts in groups that keep at most `bytes`, or one part.
    ///
    /// # Errors
    /// Those of `prepare`.
    pub(super) fn new<const D: usize>(
        mut pieces: Vec<Piece>,
        bytes: usize,
        prepare: impl Fn(&[Piece]) -> Result<Vec<P>, Error>,
    ) -> Result<Self, Error>
    where
        P: OnPlane<D>,
    {
        let rest = pieces.split_off(1.min(pieces.len()));
        let Some(first) = pieces.first() else {
            return Ok(Self::empty());
        };
        let mut kept = prepare(&pieces)?;
        let of_first: usize = kept.iter().map(P::bytes).sum();
        let examples = bytes / (of_first / first.examples.max(1)).max(1);
        let all: usize = pieces.iter().chain(&rest).map(|piece| piece.examples).sum();
        if all <= examples {
            kept.extend(prepare(&rest)?);
            let shares = pieces.into_iter().chain(rest).map(|piece| piece.shares);
            return Ok(Self::Kept(shares.zip(kept).collect()));
        }
        drop(kept);
        let mut groups: Vec<Vec<Piece>> = Vec::new();
        let mut room: usize = 0;
        for piece in pieces.into_iter().chain(rest) {
            match groups.last_mut() {
                Some(group) if piece.examples <= room => {
                    room -= piece.examples;
                    group.push(piece);
                }
                _ => {
                    room = examples.saturating_sub(piece.examples);
                    groups.push(vec![piece]);
                }
            }
        }
        Ok(Self::InTurn(groups))
    }

    /// Returns how many points are done at once.
    pub(super) fn block(&self) -> usize {
        match self {
            Self::Kept(parts) => JOBS.div_ceil(parts.len().max(1)).max(POINTS_PER_VISIT),
            Self::InTurn(_) => POINTS_PER_TURN,
        }
    }

    /// Calls `each` with one group after the other, prepared.
    ///
    /// # Errors
    /// Those of `prepare`.
    pub(super) fn for_each(
        &self,
        prepare: impl Fn(&[Piece]) -> Result<Vec<P>, Error>,
        mut each: impl FnMut(&[Prepared<P>]),
    ) -> Result<(), Error> {
        match self {
            Self::Kept(parts) => each(parts),
            Self::InTurn(groups) => {
                for group in groups {
                    let shares = group.iter().map(|piece| piece.shares.clone());
                    let prepared: Vec<_> = shares.zip(prepare(group)?).collect();
                    each(&prepared);
                }
            }
        }
        Ok(())
    }
}
