//! The knowledge of the risks of a run, shared by its probes.

use std::any::Any;
use std::cell::{Cell, RefCell};

use burn::module::Module;
use burn::tensor::Tensor;
use landscape::{Batch, Risk};

use super::times::{Times, Unit, Work, follow};
use crate::Error;

/// A sample is not made smaller than this, in examples and as a part of the data.
const FEWEST: usize = 32;
const SMALLEST_PART: f64 = 1.0 / 16.0;

/// Seconds that a picture is taken to need before one was drawn.
const DRAWING: f64 = 0.05;

/// The knowledge of all risks that were asked for.
#[derive(Default)]
pub(crate) struct KnownRisks {
    risks: RefCell<Vec<Box<dyn Kept>>>,
    /// The factor by which gradients take longer than trials said: that of the first one that was
    /// timed. Trials on few examples are wrong in the same way for all risks of a run.
    slower: Cell<Option<f64>>,
    /// Seconds that a picture takes to be drawn.
    drawing: Cell<Option<f64>>,
}

/// The examples that a risk is measured over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sample {
    /// Examples that are measured.
    pub(crate) examples: usize,
    /// Examples that the probe was given.
    pub(crate) given: usize,
}

/// The examples that work runs over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Over {
    /// Those that are measured, which the budget may make fewer.
    Sample,
    /// All that the risk was given.
    Given,
}

/// The knowledge of one risk.
pub(super) struct Entry<M, B> {
    given: Risk<M, B>,
    measured: Risk<M, B>,
    /// The examples, once somebody has counted them.
    sample: Option<Sample>,
    times: Option<Times>,
    /// The units that were timed over the sample itself, in the order of [`Unit::ALL`].
    timed: [bool; Unit::ALL.len()],
    /// Whether any probe measures it over the sample, rather than as it was given.
    sampled: bool,
    /// Eigenvectors of the last measurement.
    warm: Vec<Tensor<1>>,
}

/// An entry of whatever model and batch.
trait Kept: Any + Send {
    fn as_any(&mut self) -> &mut dyn Any;
    fn shrink(&mut self, factor: f64) -> Result<Option<Sample>, Error>;
    /// Multiplies the times that nobody has measured, if there are no others.
    fn correct(&mut self, factor: f64);
}

impl<M: Module + 'static, B: Batch + Send + Sync + 'static> Kept for Entry<M, B> {
    fn as_any(&mut self) -> &mut dyn Any {
        self
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "a part of a number of examples"
    )]
    fn shrink(&mut self, factor: f64) -> Result<Option<Sample>, Error> {
        let Some(times) = self.times.filter(|_| self.sampled) else {
            return Ok(None);
        };
        let Sample { given, .. } = self.sample()?;
        let wanted = (given as f64 * factor.max(SMALLEST_PART)) as usize;
        // A power of two: small changes of the machine's speed seldom change what is measured.
        let examples = wanted.max(FEWEST).next_power_of_two();
        let examples = if examples > wanted.max(FEWEST) {
            examples / 2
        } else {
            examples
        };
        if examples >= given {
            return Ok(None);
        }
        self.times = Some(times.over(examples));
        self.timed = Default::default();
        self.measured = self.given.limited(examples)?;
        let sample = Sample { examples, given };
        self.sample = Some(sample);
        Ok(Some(sample))
    }

    fn correct(&mut self, factor: f64) {
        if let Some(times) = self.times.as_mut().filter(|_| !self.timed.contains(&true)) {
            for unit in Unit::ALL {
                *times.unit(unit) *= factor;
            }
        }
    }
}

impl<M: Module, B: Batch> Entry<M, B> {
    fn sample(&mut self) -> Result<Sample, Error> {
        if let Some(sample) = self.sample {
            return Ok(sample);
        }
        let given = self.given.examples()?;
        let sample = Sample {
            examples: given,
            given,
        };
        self.sample = Some(sample);
        Ok(sample)
    }

    /// Lets the times follow a measurement over the sample. The first one of a unit takes the place
    /// of what a trial on few examples said of it; that of a gradient, from which the trial derived
    /// the others, corrects those too that nobody has timed, and its factor is returned.
    fn learn(&mut self, unit: Unit, seconds: f64) -> Option<f64> {
        let times = self.times.as_mut()?;
        let timed = &mut self.timed[unit as usize];
        if std::mem::replace(timed, true) {
            follow(times.unit(unit), seconds);
            return None;
        }
        let thought = std::mem::replace(times.unit(unit), seconds);
        if unit != Unit::Gradient || thought <= 0.0 {
            return None;
        }
        let factor = seconds / thought;
        for (other, timed) in Unit::ALL.into_iter().zip(self.timed) {
            *times.unit(other) *= if timed { 1.0 } else { factor };
        }
        Some(factor)
    }
}

impl KnownRisks {
    fn with<M: Module + 'static, B: Batch + Send + Sync + 'static, R>(
        &self,
        risk: &Risk<M, B>,
        with: impl FnOnce(&mut Entry<M, B>) -> R,
    ) -> R {
        let mut risks = self.risks.borrow_mut();
        let at = risks.iter_mut().position(|kept| {
            let entry = kept.as_any().downcast_ref::<Entry<M, B>>();
            entry.is_some_and(|entry| entry.given.is_same(risk))
        });
        let at = at.unwrap_or_else(|| {
            risks.push(Box::new(Entry {
                given: risk.clone(),
                measured: risk.clone(),
                sample: None,
                times: None,
                timed: Default::default(),
                sampled: false,
                warm: Vec::new(),
            }));
            risks.len() - 1
        });
        let entry = risks[at].as_any().downcast_mut::<Entry<M, B>>();
        with(entry.expect("it was found, or put there, as this type"))
    }

    /// Returns the risk over the sample that is measured.
    pub(crate) fn measured<M: Module + 'static, B: Batch + Send + Sync + 'static>(
        &self,
        risk: &Risk<M, B>,
    ) -> Risk<M, B> {
        self.with(risk, |entry| entry.measured.clone())
    }

    /// Returns the examples that are measured.
    pub(crate) fn sample<M: Module + 'static, B: Batch + Send + Sync + 'static>(
        &self,
        risk: &Risk<M, B>,
    ) -> Result<Sample, Error> {
        self.with(risk, Entry::sample)
    }

    /// Seconds that `work` takes over the sample, after a trial on few examples the first time.
    pub(crate) fn seconds<M: Module + 'static, B: Batch + Send + Sync + 'static>(
        &self,
        risk: &Risk<M, B>,
        model: &M,
        work: Work,
        over: Over,
    ) -> Result<f64, Error> {
        self.with(risk, |entry| {
            entry.sampled |= over == Over::Sample;
            let times = match &entry.times {
                Some(times) => *times,
                None => {
                    let examples = entry.sample()?.examples;
                    let tried = Times::tried(&entry.given, model, examples)?;
                    entry.times = Some(tried);
                    entry.correct(self.slower.get().unwrap_or(1.0));
                    entry.times.expect("it was put there")
                }
            };
            Ok(match over {
                Over::Sample => times.of(work),
                Over::Given => times.over(entry.sample()?.given).of(work),
            })
        })
    }

    /// Lets what is known of the times follow a measurement over the sample, if anybody asks for
    /// them.
    pub(crate) fn learn<M: Module + 'static, B: Batch + Send + Sync + 'static>(
        &self,
        risk: &Risk<M, B>,
        unit: Unit,
        seconds: f64,
    ) {
        let Some(factor) = self.with(risk, |entry| entry.learn(unit, seconds)) else {
            return;
        };
        // Later factors are those of times that were corrected by the first.
        if self.slower.get().is_none() {
            self.slower.set(Some(factor));
            for kept in self.risks.borrow_mut().iter_mut() {
                kept.correct(factor);
            }
        }
    }

    /// Seconds that a picture takes to be drawn.
    pub(crate) fn drawing(&self) -> f64 {
        self.drawing.get().unwrap_or(DRAWING)
    }

    /// Takes note of a picture.
    pub(crate) fn drew(&self, seconds: f64) {
        let before = self.drawing.get().unwrap_or(seconds);
        self.drawing.set(Some(0.5 * (before + seconds)));
    }

    /// Returns the eigenvectors of the last measurement.
    pub(crate) fn warm<M: Module + 'static, B: Batch + Send + Sync + 'static>(
        &self,
        risk: &Risk<M, B>,
    ) -> Vec<Tensor<1>> {
        self.with(risk, |entry| entry.warm.clone())
    }

    /// Keeps eigenvectors for the next measurement.
    pub(crate) fn keep_warm<M: Module + 'static, B: Batch + Send + Sync + 'static>(
        &self,
        risk: &Risk<M, B>,
        vectors: Vec<Tensor<1>>,
    ) {
        self.with(risk, |entry| entry.warm = vectors);
    }

    /// Makes the samples of all risks whose times are known smaller by `factor`, for good; those
    /// that became smaller.
    pub(crate) fn shrink(&self, factor: f64) -> Result<Vec<Sample>, Error> {
        let mut risks = self.risks.borrow_mut();
        let shrunk = risks.iter_mut().map(|kept| kept.shrink(factor));
        let shrunk = shrunk.collect::<Result<Vec<_>, _>>()?;
        Ok(shrunk.into_iter().flatten().collect())
    }
}

#[cfg(test)]
mod tests {
    use burn::nn::{Linear, LinearConfig};
    use burn::tensor::{Device, Tensor};

    use super::*;

    #[test]
    fn a_sample_is_chosen_for_good_and_not_made_too_small() {
        let device = Device::flex().autodiff();
        let model = LinearConfig::new(1, 1).with_bias(false).init(&device);
        let inputs = Tensor::<1, burn::tensor::Int>::arange(0..1024, &Device::flex());
        let inputs = inputs.float().reshape([1024, 1]) / 1024.0;
        let risk = Risk::mean([inputs], |model: &Linear, x: &Tensor<2>| {
            model.forward(x.clone()).square().mean()
        });
        let known = KnownRisks::default();
        let sample = || known.sample(&risk).unwrap();
        // Nobody has asked for its times: it is not measured under the budget.
        assert!(known.shrink(0.1).unwrap().is_empty());
        let whole = known
            .seconds(&risk, &model, Work::gradients(1.0), Over::Sample)
            .unwrap();
        assert!(whole > 0.0);
        assert_eq!(known.shrink(0.1).unwrap(), [sample()]);
        // 102 examples, down to a power of two.
        assert_eq!((sample().examples, sample().given), (64, 1024));
        // It is the first 64, whose mean square is not that of all.
        let first = risk.limited(64).unwrap().value(&model).unwrap();
        assert_eq!(known.measured(&risk).value(&model).unwrap(), first);
        assert!(first < 0.1 * risk.value(&model).unwrap());
        // A clone is the same risk; another one with the same data is not.
        assert_eq!(known.sample(&risk.clone()).unwrap().examples, 64);
        let other = Risk::mean(risk.batches().clone(), |model: &Linear, x: &Tensor<2>| {
            model.forward(x.clone()).square().mean()
        });
        assert_eq!(known.sample(&other).unwrap().examples, 1024);
        // A sixteenth at least.
        known.shrink(1e-9).unwrap();
        assert_eq!(sample().examples, 64);
    }

    #[test]
    fn the_first_gradient_corrects_what_trials_said() {
        let device = Device::flex().autodiff();
        let model = LinearConfig::new(1, 1).init(&device);
        let risk = |examples: usize| {
            let inputs = Tensor::<2>::ones([examples, 1], &Device::flex());
            Risk::mean([inputs], |model: &Linear, x: &Tensor<2>| {
                model.forward(x.clone()).square().mean()
            })
        };
        let (one, other) = (risk(64), risk(128));
        let known = KnownRisks::default();
        let seconds = |risk, work| {
            let seconds = known.seconds(risk, &model, work, Over::Sample);
            seconds.unwrap()
        };
        let (gradient, pass) = (Work::gradients(1.0), Work::passes(1.0));
        let [tried, tried_pass, of_other] = [
            seconds(&one, gradient),
            seconds(&one, pass),
            seconds(&other, gradient),
        ];
        let near = |value: f64, expected: f64| (value / expected - 1.0).abs() < 1e-9;
        // A gradient takes five times what the trial said: so does the rest, and another risk.
        known.learn(&one, Unit::Gradient, 5.0 * tried);
        assert!(near(seconds(&one, gradient), 5.0 * tried));
        assert!(near(seconds(&one, pass), 5.0 * tried_pass));
        assert!(near(seconds(&other, gradient), 5.0 * of_other));
        // What was timed itself is followed by half, and corrects nothing else.
        known.learn(&one, Unit::Gradient, 10.0 * tried);
        assert!(near(seconds(&one, gradient), 7.5 * tried));
        known.learn(&other, Unit::Gradient, of_other);
        assert!(near(seconds(&other, gradient), of_other));
        assert!(near(seconds(&one, pass), 5.0 * tried_pass));
        // A risk that is tried later is corrected by the first factor, not by the one of times that
        // were right already.
        assert_eq!(known.slower.get(), Some(5.0));
    }
}
