//! The time that work over the data of a risk takes.

use std::time::Instant;

use burn::module::Module;
use landscape::download;
use landscape::{Batch, Risk};

/// Examples of the two trials from which the time over all data is extrapolated.
pub(crate) const TRIALS: [usize; 2] = [4, 16];

/// Work over the data of a risk, in the units that it is timed in.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Work {
    /// Forward passes over the data.
    pub(crate) passes: f64,
    /// Gradients.
    pub(crate) gradients: f64,
    /// Hessians made.
    pub(crate) hessians: f64,
    /// Products with the Hessian.
    pub(crate) products: f64,
    /// Passes over a pair of vectors of all parameters on the host: what algorithms do beside
    /// products.
    pub(crate) vectors: f64,
}

impl Work {
    /// Returns the work of so many forward passes.
    pub(crate) fn passes(passes: f64) -> Self {
        Self {
            passes,
            ..Self::default()
        }
    }

    /// Returns the work of a Hessian, so many products with it, and so many passes over vectors.
    #[expect(clippy::cast_precision_loss, reason = "small numbers")]
    pub(crate) fn curvature(products: usize, vectors: usize) -> Self {
        Self {
            hessians: 1.0,
            products: products as f64,
            vectors: vectors as f64,
            ..Self::default()
        }
    }

    /// Returns the work of so many gradients.
    pub(crate) fn gradients(gradients: f64) -> Self {
        Self {
            gradients,
            ..Self::default()
        }
    }
}

/// A unit of work whose time follows what was measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unit {
    Gradient,
    Pass,
    Hessian,
    Product,
}

impl Unit {
    pub(crate) const ALL: [Self; 4] = [Self::Gradient, Self::Pass, Self::Hessian, Self::Product];
}

/// Seconds of each unit of work over some examples.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Times {
    /// Seconds of a gradient whatever the number of examples, and for each example.
    fixed: f64,
    each: f64,
    examples: usize,
    pub(crate) gradient: f64,
    pub(crate) pass: f64,
    pub(crate) hessian: f64,
    pub(crate) product: f64,
    vector: f64,
}

impl Times {
    /// Extrapolates to `examples` from gradients of few examples.
    ///
    /// # Errors
    /// As [`Risk::gradient`].
    pub(crate) fn tried<M: Module, B: Batch>(
        risk: &Risk<M, B>,
        model: &M,
        examples: usize,
    ) -> Result<Self, landscape::Error> {
        Self::tried_over(TRIALS, risk, model, examples)
    }

    /// Extrapolates to `examples` from gradients of two numbers of them. The gradients are those of
    /// a part of `risk`, each timed after a first one, which checks the loss.
    ///
    /// # Errors
    /// As [`Risk::gradient`].
    #[expect(clippy::cast_precision_loss, reason = "a number of examples")]
    pub(crate) fn tried_over<M: Module, B: Batch>(
        trials: [usize; 2],
        risk: &Risk<M, B>,
        model: &M,
        examples: usize,
    ) -> Result<Self, landscape::Error> {
        let [few, more] = trials.map(|trial| trial.min(examples));
        let time = |count: usize| {
            let part = risk.limited(count)?;
            let (_, gradient) = part.gradient(model)?;
            // The shortest: whatever else the processor does makes it longer.
            let mut seconds = f64::INFINITY;
            for _ in 0..2 {
                let started = Instant::now();
                let _ = part.gradient(model)?;
                seconds = seconds.min(started.elapsed().as_secs_f64());
            }
            Ok::<_, landscape::Error>((seconds, gradient))
        };
        let (of_more, gradient) = time(more)?;
        let vector = pass(&download(&gradient));
        if few == more {
            let each = of_more / more as f64;
            return Ok(Self::extrapolated(0.0, each, examples, vector));
        }
        let (of_few, _) = time(few)?;
        // Where the clock says that more examples take less, the examples cost next to nothing.
        let each = ((of_more - of_few) / (more - few) as f64).max(0.05 * of_more / more as f64);
        let fixed = (of_more - each * more as f64).max(0.0);
        Ok(Self::extrapolated(fixed, each, examples, vector))
    }

    /// Returns times in the ratio to a gradient that they usually have: those of convolutional
    /// networks, where they are larger than those of perceptrons. They hold until the thing itself
    /// was timed. A Hessian is compared with the closure at some points before it is believed,
    /// which takes gradients of few examples and of all.
    #[expect(clippy::cast_precision_loss, reason = "a number of examples")]
    fn extrapolated(fixed: f64, each: f64, examples: usize, vector: f64) -> Self {
        let of_examples = each * examples as f64;
        let gradient = fixed + of_examples;
        Self {
            fixed,
            each,
            examples,
            gradient,
            pass: gradient / 3.0,
            hessian: 16.0 * fixed + 4.0 * of_examples,
            product: 0.5 * fixed + 3.0 * of_examples,
            vector,
        }
    }

    /// Returns the times over another number of examples: extrapolated, as far as they agreed with
    /// what was timed.
    pub(crate) fn over(&self, examples: usize) -> Self {
        let extrapolated =
            |examples| Self::extrapolated(self.fixed, self.each, examples, self.vector);
        let (here, there) = (extrapolated(self.examples), extrapolated(examples));
        Self {
            gradient: self.gradient / here.gradient * there.gradient,
            pass: self.pass / here.pass * there.pass,
            hessian: self.hessian / here.hessian * there.hessian,
            product: self.product / here.product * there.product,
            ..there
        }
    }

    /// Returns the seconds of a unit.
    pub(crate) const fn unit(&mut self, unit: Unit) -> &mut f64 {
        match unit {
            Unit::Gradient => &mut self.gradient,
            Unit::Pass => &mut self.pass,
            Unit::Hessian => &mut self.hessian,
            Unit::Product => &mut self.product,
        }
    }

    /// Seconds of some work.
    pub(crate) fn of(&self, work: Work) -> f64 {
        work.passes * self.pass
            + work.gradients * self.gradient
            + work.hessians * self.hessian
            + work.products * self.product
            + work.vectors * self.vector
    }
}

/// Seconds of a pass over a pair of vectors: the shortest of three.
fn pass(vector: &[f64]) -> f64 {
    let other = vector.to_vec();
    let time = || {
        let started = Instant::now();
        let product: f64 = vector.iter().zip(&other).map(|(x, y)| x * y).sum();
        std::hint::black_box(product);
        started.elapsed().as_secs_f64()
    };
    (0..3).map(|_| time()).fold(f64::INFINITY, f64::min)
}

/// Lets an estimate follow what was measured.
pub(crate) fn follow(estimate: &mut f64, measured: f64) {
    *estimate = 0.5 * (*estimate + measured);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_affine_in_the_examples() {
        let times = Times::extrapolated(0.2, 0.01, 100, 0.001);
        assert!((times.gradient - 1.2).abs() < 1e-15);
        let fewer = times.over(10);
        assert!((fewer.gradient - 0.3).abs() < 1e-15 && (fewer.product - 0.4).abs() < 1e-15);
        let work = Work {
            passes: 3.0,
            ..Work::curvature(2, 7)
        };
        // One gradient for three passes, a Hessian, two products, and what does not depend on the
        // examples.
        assert!((fewer.of(work) - (0.3 + 3.6 + 0.8 + 0.007)).abs() < 1e-12);
    }
}
