//! A probe under other tags.

use crate::Error;
use crate::caught::caught;
use crate::probe::{Moment, Probe};
use crate::record::Records;

/// A probe with something appended to each of its tags, so that two of one kind can be used side by side.
///
/// # Examples
///
/// ```
/// use probes::instrument::{LossProbe, Suffixed};
/// use probes::{Moment, Probe, Records};
/// # use burn::nn::{Linear, LinearConfig};
/// # use burn::tensor::{Device, Tensor};
/// # use landscape::Risk;
/// # let device = Device::flex();
/// # let model = LinearConfig::new(1, 1).init(&device);
/// # let risk = Risk::mean([Tensor::<2>::ones([1, 1], &device)], |m: &Linear, x: &Tensor<2>| m.forward(x.clone()).mean());
///
/// let mut probe = Suffixed::new(LossProbe::of(&risk, "loss"), "_test");
/// let mut records = Records::new(0);
/// probe.measure(&Moment::new(0, &model), &mut records)?;
/// assert_eq!(records.into_vec()[0].tag, "loss_test");
/// # Ok::<(), probes::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Suffixed<P> {
    probe: P,
    suffix: String,
}

impl<P> Suffixed<P> {
    /// `probe` with `suffix` appended to its tags.
    pub fn new(probe: P, suffix: impl Into<String>) -> Self {
        Self {
            probe,
            suffix: suffix.into(),
        }
    }
}

impl<M, P: Probe<M>> Probe<M> for Suffixed<P> {
    fn name(&self) -> String {
        format!(
            "{} ({})",
            self.probe.name(),
            self.suffix.trim_matches(['_', '/', ' '])
        )
    }

    fn measure(&mut self, moment: &Moment<'_, M>, records: &mut Records) -> Result<(), Error> {
        let mut inner = Records::new(moment.step);
        // What the probe recorded before a panic is kept, as it is without a suffix.
        let result = caught(|| self.probe.measure(moment, &mut inner))
            .unwrap_or_else(|message| Err(Error::Panicked { message }));
        for record in inner.into_vec() {
            records.push(record.tag + &self.suffix, record.value);
        }
        result
    }
}
