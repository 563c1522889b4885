//! A probe under other tags.

use crate::budget::MeasuringCost;
use crate::error::caught;
use crate::record::Records;
use crate::{Error, Moment, Probe};

/// A probe with something appended to each of its tags, so that two of one kind can be used side by
/// side. Its typed findings are left out: in an [`Observation`](crate::Observation) they are those
/// of the probe without a suffix.
///
/// # Examples
/// ```
/// use probes::instrument::{MeanLoss, Suffixed};
/// use probes::{Moment, Probe, Records};
/// # use burn::nn::{Linear, LinearConfig};
/// # use burn::tensor::{Device, Tensor};
/// # use landscape::Risk;
/// # let device = Device::flex();
/// # let model = LinearConfig::new(1, 1).init(&device);
/// # let x = Tensor::<2>::ones([1, 1], &device);
/// # let risk = Risk::mean([x], |m: &Linear, x: &Tensor<2>| m.forward(x.clone()).mean());
///
/// let mut probe = Suffixed::new(MeanLoss::of(&risk, "loss"), "_test");
/// let mut records = Records::new(0);
/// probe.measure(&Moment::new(0, &model), &mut records)?;
/// assert_eq!(records.into_vec()[0].tag, "loss_test");
/// # Ok::<(), probes::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Suffixed<P> {
    probe: P,
    suffix: String,
}

impl<P> Suffixed<P> {
    /// Returns `probe` with `suffix` appended to its tags.
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

    fn cost(&self, moment: &Moment<'_, M>) -> Result<Option<MeasuringCost>, Error> {
        self.probe.cost(moment)
    }

    fn begin(&mut self, moment: &Moment<'_, M>) {
        self.probe.begin(moment);
    }

    fn measure(&mut self, moment: &Moment<'_, M>, records: &mut Records) -> Result<(), Error> {
        let mut inner = Records::new(moment.step);
        // What the probe recorded before a panic is kept, as it is without a suffix.
        let result = caught(|| self.probe.measure(moment, &mut inner))
            .unwrap_or_else(|message| Err(Error::Panicked { message }));
        let (inner, _, shortened, warnings) = inner.into_parts();
        for record in inner {
            records.push(record.tag + &self.suffix, record.value);
        }
        for warning in warnings {
            records.warn(warning);
        }
        if let Some(how) = shortened {
            records.shortened(how);
        }
        result
    }
}
