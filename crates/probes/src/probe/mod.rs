//! The trait of everything that measures, and what it sees of a run.

mod moment;

pub use moment::Moment;
pub(crate) use moment::Run;

use crate::Error;
use crate::budget::MeasuringCost;
use crate::record::Records;

/// Something that measures a model during training.
///
/// A probe sees the model through a shared reference. It must not draw from the device's random
/// stream and must not run a forward pass of the model itself in training mode, which would move
/// BatchNorm's statistics: measuring through [`landscape::Risk`] keeps both promises.
///
/// # Examples
/// ```
/// use probes::{Error, Moment, Probe, Probes, Records, Schedule, sink::Memory};
///
/// /// The model is a number here.
/// struct Square;
///
/// impl Probe<f64> for Square {
///     fn name(&self) -> String {
///         "square".into()
///     }
///
///     fn measure(
///         &mut self,
///         moment: &Moment<'_, f64>,
///         records: &mut Records,
///     ) -> Result<(), Error> {
///         records.scalar("model/square", moment.model * moment.model);
///         Ok(())
///     }
/// }
///
/// let memory = Memory::new();
/// let mut probes = Probes::unlimited()
///     .with(Schedule::every(2), Square)
///     .with_sink(memory.clone());
/// for step in 0..=4 {
///     probes.observe(step, &(step as f64))?;
/// }
/// assert_eq!(
///     memory.scalars("model/square"),
///     [(0, 0.0), (2, 4.0), (4, 16.0)]
/// );
/// # Ok::<(), probes::Error>(())
/// ```
pub trait Probe<M> {
    /// Returns the name of the quantity, for reports: "top 3 eigenvalues".
    fn name(&self) -> String;

    /// Estimates the seconds of a measurement, which is asked under a limited
    /// [`Budget`](crate::Budget). `None`, the default, is not known: then the first measurement is
    /// made once anything is saved up, and the others once there is what the last one took.
    ///
    /// # Errors
    /// When the quantity cannot be measured; the measurement itself will say so.
    fn cost(&self, moment: &Moment<'_, M>) -> Result<Option<MeasuringCost>, Error> {
        let _ = moment;
        Ok(None)
    }

    /// Takes note of the first model of a run, before anything is measured and whether or not the
    /// probe is due then: for probes that compare with the start. The default does nothing. What
    /// it keeps of the model it keeps as a [`landscape::snapshot`].
    ///
    /// [`Moment::step`] is above 0 where a run is gone on with: its start was then not seen.
    fn begin(&mut self, moment: &Moment<'_, M>) {
        let _ = moment;
    }

    /// Measures `moment.model` and adds what was found to `records`. Records added before an error
    /// are kept. Where [`moment.seconds`](Moment::seconds) says how long it may take, a probe that
    /// can do with less effort does, and says so by [`Records::shortened`].
    ///
    /// # Errors
    /// When the quantity cannot be measured here, for example because the loss is NaN. Training
    /// goes on.
    fn measure(&mut self, moment: &Moment<'_, M>, records: &mut Records) -> Result<(), Error>;
}
