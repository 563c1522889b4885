//! The trait of everything that measures.

use std::fmt;
use std::ops::ControlFlow;

use crate::Error;
use crate::record::Records;

/// Something that measures a model during training.
///
/// A probe sees the model through a shared reference. It must not draw from the device's random stream and must not run a forward pass of the model
/// itself in training mode, which would move BatchNorm's statistics: measuring through [`landscape::Risk`] keeps both promises.
///
/// # Examples
///
/// ```
/// use probes::{Error, Moment, Probe, Probes, Budget, Records, Schedule, sink::Memory};
///
/// /// The model is a number here.
/// struct Square;
///
/// impl Probe<f64> for Square {
///     fn name(&self) -> String {
///         "square".into()
///     }
///
///     fn measure(&mut self, moment: &Moment<'_, f64>, records: &mut Records) -> Result<(), Error> {
///         records.scalar("model/square", moment.model * moment.model);
///         Ok(())
///     }
/// }
///
/// let memory = Memory::new();
/// let mut probes = Probes::new(Budget::fraction(0.05)).with(Schedule::every(2), Square).into_sink(memory.clone());
/// for step in 0..=4 {
///     probes.observe(step, &(step as f64))?;
/// }
/// assert_eq!(memory.scalars("model/square"), [(0, 0.0), (2, 4.0), (4, 16.0)]);
/// # Ok::<(), probes::Error>(())
/// ```
pub trait Probe<M> {
    /// What the probe measures, for reports: "top 3 eigenvalues".
    fn name(&self) -> String;

    /// Measures `moment.model` and adds what was found to `records`. Records added before an error are kept.
    ///
    /// # Errors
    ///
    /// When the quantity cannot be measured here, for example because the loss is NaN. Training goes on.
    fn measure(&mut self, moment: &Moment<'_, M>, records: &mut Records) -> Result<(), Error>;
}

/// A moment of a training run.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Moment<'a, M> {
    /// The number of updates made so far.
    pub step: u64,
    /// The number of updates that the run will make, if known.
    pub total_steps: Option<u64>,
    /// The model.
    pub model: &'a M,
    /// The learning rate of the last update, if the loop told it.
    pub learning_rate: Option<f64>,
    pub(crate) interrupt: Interrupt<'a>,
}

/// The question whether measurements shall stop, if there is anybody to ask.
#[derive(Clone, Copy)]
pub(crate) struct Interrupt<'a>(pub(crate) Option<&'a (dyn Fn() -> bool + Send)>);

impl Interrupt<'_> {
    /// Whether they shall.
    pub(crate) fn requested(self) -> bool {
        self.0.is_some_and(|requested| requested())
    }
}

impl fmt::Debug for Interrupt<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Interrupt").field(&self.requested()).finish()
    }
}

impl<'a, M> Moment<'a, M> {
    /// The moment of `model` after `step` updates.
    #[must_use]
    pub fn new(step: u64, model: &'a M) -> Self {
        Self {
            step,
            total_steps: None,
            model,
            learning_rate: None,
            interrupt: Interrupt(None),
        }
    }

    /// [`ControlFlow::Break`] once the loop wants measurements to stop ([`Probes::with_interrupt`](crate::Probes::with_interrupt)).
    ///
    /// Asked by long measurements now and then; the callbacks of `landscape` take it as it is, and give up with
    /// [`landscape::Error::Cancelled`].
    pub fn going_on(&self) -> ControlFlow<()> {
        if self.interrupt.requested() {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    }
}
