//! A case as a risk.

use std::sync::Arc;

use burn::data::dataloader::{DataLoader, DataLoaderIterator, Progress};
use burn::data::dataset::DatasetError;
use burn::tensor::{Device, Tensor};
use landscape::{Batch, Batches, Reduction, Risk, Statistics, TensorMapper};

use crate::composition::case::{Case, Feature, Form};
use crate::composition::node::Net;
use crate::composition::scene::{Data, Recipe, Scene, Way};
use crate::composition::value::{Value, mapped};

impl Batch for Data {
    fn map<F: TensorMapper>(self, f: &mut F) -> Self {
        Self {
            x: mapped!(self.x, x => f.float(x)),
            tokens: f.int(self.tokens),
            targets: f.float(self.targets),
            labels: f.int(self.labels),
            ..self
        }
    }

    fn stated_examples(&self) -> Option<usize> {
        (self.counted && self.time_first).then(|| self.rows())
    }
}

/// Batches that are streamed.
struct Loader(Vec<Data>);

struct Stream<'l>(std::slice::Iter<'l, Data>);

impl Iterator for Stream<'_> {
    type Item = Result<Data, DatasetError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.0.next().cloned().map(Ok)
    }
}

impl DataLoaderIterator<Data> for Stream<'_> {
    fn progress(&self) -> Progress {
        Progress::new(0, self.0.len(), None)
    }
}

impl DataLoader<Data> for Loader {
    fn iter<'a>(&'a self) -> Box<dyn DataLoaderIterator<Data> + 'a> {
        Box::new(Stream(self.0.iter()))
    }

    fn num_items(&self) -> usize {
        self.0.iter().map(Data::rows).sum()
    }

    fn to_device(&self, _: &Device) -> Arc<dyn DataLoader<Data>> {
        Arc::new(Self(self.0.clone()))
    }

    fn slice(&self, start: usize, end: usize) -> Arc<dyn DataLoader<Data>> {
        Arc::new(Self(self.0[start..end].to_vec()))
    }
}

/// The loss as a user's closure gives it.
pub(super) fn loss_of(recipe: &Recipe, net: &Net, data: &Data) -> Tensor<1> {
    let way = Way::Measured;
    recipe.loss(&Scene {
        net,
        data,
        way: &way,
    })
}

/// The risk of a case, its batches held or streamed.
pub(super) fn risk_of(case: &Case) -> Risk<Net, Data> {
    let recipe = Arc::new(case.recipe.clone());
    let batches = case.batches.clone();
    let batches: Batches<Data> = if case.has(Feature::Streamed) {
        let loader: Arc<dyn DataLoader<Data>> = Arc::new(Loader(batches));
        loader.into()
    } else {
        batches.into()
    };
    let risk = match case.form {
        Form::Together => Risk::mean(batches, move |net: &Net, data: &Data| {
            loss_of(&recipe, net, data)
        }),
        Form::Apart => {
            let outer = Arc::clone(&recipe);
            let summed = case.has(Feature::Summed);
            let reduction = if summed {
                Reduction::Sum
            } else {
                Reduction::Mean
            };
            let factor = move |data: &Data| if summed { data.rows() as f64 } else { 1.0 };
            macro_rules! apart {
                ($variant:ident) => {
                    Risk::of(
                        batches,
                        move |net: &Net, data: &Data| {
                            let way = Way::Measured;
                            let scene = Scene {
                                net,
                                data,
                                way: &way,
                            };
                            match outer.outputs(&scene) {
                                Value::$variant(x) => x,
                                other => panic!("outputs of rank {}", other.rank()),
                            }
                        },
                        move |outputs, data: &Data| {
                            (recipe.criterion.1)(data, Value::$variant(outputs)) * factor(data)
                        },
                        reduction,
                    )
                };
            }
            if case.rank == 2 {
                apart!(Two)
            } else {
                apart!(Three)
            }
        }
    };
    if case.has(Feature::BatchStatistics) {
        risk.with_statistics(Statistics::Batch)
    } else {
        risk
    }
}
