//! The tensors of a module beside the coordinates: running statistics, frozen parameters, tables.

use std::collections::HashMap;

use burn::module::{Module, ModuleVisitor, Param, ParamId};
use burn::tensor::{Bool, Int, Tensor, TensorData};

use super::ParameterSpace;
use crate::error::Error;

/// The tensors of a module that are no coordinates of a space, in visit order.
#[derive(Debug)]
pub(crate) struct Rest {
    tensors: Vec<(String, ParamId, Values)>,
}

/// The entries of such a tensor.
#[derive(Debug)]
enum Values {
    Float {
        shape: Vec<usize>,
        entries: Vec<f64>,
    },
    Other(TensorData),
}

impl Values {
    /// Returns whether both have the same bits: NaN equals itself.
    fn equal(&self, other: &Self) -> bool {
        match (self, other) {
            (
                Self::Float { shape, entries },
                Self::Float {
                    shape: of_other,
                    entries: others,
                },
            ) => {
                shape == of_other
                    && entries
                        .iter()
                        .map(|x| x.to_bits())
                        .eq(others.iter().map(|x| x.to_bits()))
            }
            (Self::Other(a), Self::Other(b)) => {
                a.dtype() == b.dtype() && a.shape() == b.shape() && a.as_bytes() == b.as_bytes()
            }
            _ => false,
        }
    }
}

impl Rest {
    /// Returns what `model` has beside the coordinates of `space`; running statistics with all
    /// updates.
    ///
    /// # Errors
    /// As [`ParameterSpace::locate`].
    pub(crate) fn of<M: Module>(space: &ParameterSpace, model: &M) -> Result<Self, Error> {
        let index = space.locate(model)?;
        let mut collect = Collect {
            index: &index,
            path: Vec::new(),
            tensors: Vec::new(),
        };
        // `valid` brings running statistics up to date.
        model.valid().visit(&mut collect);
        Ok(Self {
            tensors: collect.tensors,
        })
    }

    /// Returns the path of the first tensor that is not the same in both; none where nothing
    /// differs.
    pub(crate) fn differs<'p>(&'p self, other: &'p Self) -> Option<&'p str> {
        for (number, (path, _, values)) in self.tensors.iter().enumerate() {
            match other.tensors.get(number) {
                Some((there, _, others)) if there == path && values.equal(others) => {}
                _ => return Some(path),
            }
        }
        let more = other.tensors.get(self.tensors.len());
        more.map(|(path, ..)| path.as_str())
    }

    /// Returns the weighted sum of the float tensors of several rests, by the ids of the first.
    ///
    /// # Errors
    /// [`Error::RestDiffers`] where the first and another have not the same float tensors, or
    /// differ in a tensor of another kind.
    pub(crate) fn combine(
        rests: &[Self],
        weights: &[f64],
    ) -> Result<HashMap<ParamId, Vec<f64>>, Error> {
        let mut sums = HashMap::new();
        let Some(first) = rests.first() else {
            return Ok(sums);
        };
        let refused = |path: &str| Error::RestDiffers {
            path: path.to_owned(),
            help: "it cannot be interpolated: make both models with the same configuration, or choose `Buffers::Keep`",
        };
        for (number, (path, id, values)) in first.tensors.iter().enumerate() {
            let mut sum: Option<Vec<f64>> = None;
            for (rest, &weight) in rests.iter().zip(weights) {
                let there = rest.tensors.get(number).filter(|(there, ..)| there == path);
                let Some((_, _, others)) = there else {
                    return Err(refused(path));
                };
                match (values, others) {
                    (
                        Values::Float { shape, .. },
                        Values::Float {
                            shape: of_other,
                            entries,
                        },
                    ) if shape == of_other => {
                        // A weight of zero takes no infinity along.
                        if weight != 0.0 {
                            let sum = sum.get_or_insert_with(|| vec![0.0; entries.len()]);
                            for (sum, entry) in sum.iter_mut().zip(entries) {
                                *sum += weight * entry;
                            }
                        }
                    }
                    (Values::Other(_), Values::Other(_)) if values.equal(others) => {}
                    _ => return Err(refused(path)),
                }
            }
            if let Some(sum) = sum {
                sums.insert(*id, sum);
            }
        }
        Ok(sums)
    }
}

struct Collect<'i> {
    index: &'i HashMap<ParamId, usize>,
    path: Vec<String>,
    tensors: Vec<(String, ParamId, Values)>,
}

impl Collect<'_> {
    fn add(&mut self, id: ParamId, values: impl FnOnce() -> Values) {
        if !self.index.contains_key(&id) {
            self.tensors.push((self.path.join("."), id, values()));
        }
    }
}

impl ModuleVisitor for Collect<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        self.add(param.id, || {
            let tensor = param.val();
            Values::Float {
                shape: tensor.dims().to_vec(),
                entries: tensor.to_data().iter::<f64>().collect(),
            }
        });
    }

    fn visit_int<const D: usize>(&mut self, param: &Param<Tensor<D, Int>>) {
        self.add(param.id, || Values::Other(param.val().to_data()));
    }

    fn visit_bool<const D: usize>(&mut self, param: &Param<Tensor<D, Bool>>) {
        self.add(param.id, || Values::Other(param.val().to_data()));
    }

    fn enter_module(&mut self, name: &str, _container: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.path.pop();
    }
}
