//! Models of one architecture, and everything between them.

use burn::module::Module;
use burn::tensor::Tensor;

use super::{Buffers, Quantity};
use crate::batch::Batch;
use crate::error::Error;
use crate::parameters::{ParameterSpace, Rest, put};
use crate::risk::check_same_function;
use crate::vector::{add_scaled, download};

/// A function that gives a model the statistics of data.
type Recompute<M> = Box<dyn Fn(&M) -> Result<M, Error>>;

/// The fate of the tensors that are no coordinates, whatever the type of the batches.
enum Fate<M> {
    Interpolate,
    Recompute(Recompute<M>),
    Keep,
}

/// Models of one architecture, and everything between them.
pub(super) struct Models<M> {
    space: ParameterSpace,
    fate: Fate<M>,
    first: M,
    thetas: Vec<Vec<f64>>,
    rests: Vec<Rest>,
}

impl<M: Module + 'static> Models<M> {
    /// Makes them, and checks that each model is reached by moving the tensors of the first.
    ///
    /// # Errors
    /// Models of different architecture, models that are equal.
    pub(super) fn new<B: Batch + 'static>(
        models: &[&M],
        buffers: &Buffers<M, B>,
        quantities: &[Quantity<M>],
    ) -> Result<Self, Error> {
        let first = models[0];
        let space = ParameterSpace::of(first)?;
        let theta = |model: &&M| space.flatten(*model).map(|theta| download(&theta));
        let thetas: Vec<Vec<f64>> = models.iter().map(theta).collect::<Result<_, Error>>()?;
        let rest = |model: &&M| Rest::of(&space, *model);
        let rests: Vec<Rest> = models.iter().map(rest).collect::<Result<_, Error>>()?;
        let fate = match buffers {
            Buffers::Interpolate => Fate::Interpolate,
            Buffers::Keep => Fate::Keep,
            Buffers::Recompute(data) => {
                let data = data.clone();
                Fate::Recompute(Box::new(move |model| data.recompute_statistics(model)))
            }
        };
        let found = Self {
            space,
            fate,
            first: crate::parameters::snapshot(first),
            thetas,
            rests,
        };
        let is_first = |number: usize| {
            found.thetas[number] == found.thetas[0]
                && found.rests[0].differs(&found.rests[number]).is_none()
        };
        if (1..models.len()).any(is_first) {
            return Err(Error::NoDirection {
                what: "difference of the models",
                problem: "is zero: two of them are equal",
            });
        }
        if !matches!(found.fate, Fate::Keep)
            && let Some(quantity) = quantities.first()
        {
            for (number, model) in models.iter().enumerate().skip(1) {
                found.reaches(number, model, quantity)?;
            }
        }
        Ok(found)
    }

    /// Checks that the first model with all tensors of another is that model: a setting that is no
    /// tensor, such as an activation, does not move.
    fn reaches(&self, number: usize, model: &M, quantity: &Quantity<M>) -> Result<(), Error> {
        let mut weights = vec![0.0; self.thetas.len()];
        weights[number] = 1.0;
        let moved = self.interpolated(&weights)?;
        let expected = quantity.value(model)?;
        let found = quantity.value(&moved)?;
        check_same_function(&self.space.domain, number, expected, found)
    }

    /// Returns why points are models of their own, and not the first one moved by a direction;
    /// `None` where they are the latter.
    pub(super) fn moving(&self) -> Option<String> {
        match &self.fate {
            Fate::Keep => None,
            Fate::Recompute(_) => {
                Some("the statistics of BatchNorm are recomputed at each point".to_owned())
            }
            Fate::Interpolate => {
                let (first, others) = self.rests.split_first()?;
                let path = others.iter().find_map(|rest| first.differs(rest))?;
                Some(format!("`{path}` moves too and is no trainable parameter"))
            }
        }
    }

    /// Returns the directions from the first model to each of the others.
    pub(super) fn directions(&self) -> Result<Vec<Tensor<1>>, Error> {
        let difference = |theta: &Vec<f64>| {
            let ends = theta.iter().zip(&self.thetas[0]);
            let entries: Vec<f64> = ends.map(|(to, from)| to - from).collect();
            self.space.domain.upload(&entries)
        };
        self.thetas[1..].iter().map(difference).collect()
    }

    /// Returns the model at a point: coordinates are the weights of the models after the first.
    pub(super) fn at(&self, point: &[f64]) -> Result<M, Error> {
        // Weights of all models, so that these are met exactly.
        let mut weights = vec![1.0 - point.iter().sum::<f64>()];
        weights.extend(point);
        let model = self.interpolated(&weights)?;
        match &self.fate {
            Fate::Recompute(statistics) => statistics(&model),
            Fate::Interpolate | Fate::Keep => Ok(model),
        }
    }

    /// Returns the weighted sum of all models, parameters and buffers.
    fn interpolated(&self, weights: &[f64]) -> Result<M, Error> {
        let mut theta = vec![0.0; self.space.dim()];
        for (of_model, &weight) in self.thetas.iter().zip(weights) {
            if weight != 0.0 {
                add_scaled(&mut theta, weight, of_model);
            }
        }
        let theta = self.space.domain.upload(&theta)?;
        let model = self.space.unflatten(&self.first, &theta)?;
        Ok(put(model, &Rest::combine(&self.rests, weights)?))
    }
}
