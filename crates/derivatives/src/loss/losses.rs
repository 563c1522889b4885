//! Several captured losses of one batch.

use crate::CapturedLoss;

/// Several losses of one batch that were captured together; see
/// [`Capture::losses`](crate::Capture::losses).
#[derive(Debug, Clone)]
pub struct CapturedLosses(Vec<CapturedLoss>);

impl CapturedLosses {
    /// Makes them of losses whose programs are of one graph and whose data is the same.
    pub(crate) const fn new(losses: Vec<CapturedLoss>) -> Self {
        Self(losses)
    }

    /// Returns the losses, in the order in which the closure gave them.
    #[must_use]
    pub fn losses(&self) -> &[CapturedLoss] {
        &self.0
    }
}

/// One loss, alone.
impl From<CapturedLoss> for CapturedLosses {
    fn from(loss: CapturedLoss) -> Self {
        Self(vec![loss])
    }
}
