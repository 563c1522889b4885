//! A training under way: everything that the next step depends on.

use std::collections::BTreeMap;

use burn::optim::ModuleOptimizer;
use burn_pack::Reader;
use sam::{AnyMethod, Error, Rows, Step};

use crate::properties::cases::Case;
use crate::properties::nets::{Net, bits};

pub(crate) struct Training {
    pub(crate) model: Net,
    pub(crate) optim: ModuleOptimizer,
    pub(crate) method: AnyMethod,
}

/// What two equal trainings have in common.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Snapshot {
    pub(crate) weights: Vec<u64>,
    pub(crate) optimiser: Optimiser,
    pub(crate) method: Vec<u8>,
}

/// The tensors of an optimiser as bytes and its scalars, by name.
type Optimiser = (BTreeMap<String, Vec<u8>>, BTreeMap<String, String>);

impl Training {
    pub(crate) fn new(case: &Case, method: AnyMethod) -> Self {
        Self::of(case.model(), case, method)
    }

    pub(crate) fn of(model: Net, case: &Case, method: AnyMethod) -> Self {
        Self {
            model,
            optim: case.optimiser(),
            method,
        }
    }

    /// A step on the batch of that number, and how many passes it ran.
    pub(crate) fn step(&mut self, case: &Case, number: usize) -> usize {
        let batch = case.batch(number);
        let mut passes = 0;
        let step = self.step_with(case, number, |model, rows| {
            passes += 1;
            model.losses(&batch, rows)
        });
        assert!(step.is_ok(), "step {number}: {step:?}");
        passes
    }

    /// A step with another closure.
    pub(crate) fn step_with(
        &mut self,
        case: &Case,
        number: usize,
        losses: impl FnMut(&Net, Rows<'_>) -> burn::tensor::Tensor<1>,
    ) -> Result<Step<()>, Error> {
        let lr = Case::learning_rate(number);
        let model = self.model.clone();
        let taken = self
            .method
            .step_examples(&mut self.optim, lr, model, case.examples, losses);
        match taken {
            Ok(step) => {
                self.model = step.model;
                Ok(Step {
                    model: (),
                    output: (),
                    measured: step.measured,
                })
            }
            Err(rejected) => {
                self.model = rejected.model;
                Err(rejected.reason)
            }
        }
    }

    pub(crate) fn snapshot(&self) -> Snapshot {
        Snapshot {
            weights: bits(&self.model),
            optimiser: optimiser(&self.optim),
            method: record(&self.method),
        }
    }
}

/// What an optimiser remembers.
pub(crate) fn optimiser(optim: &ModuleOptimizer) -> Optimiser {
    let bytes = optim.into_bytes().expect("an optimiser can be written");
    let reader = Reader::from_bytes(bytes).expect("what was written can be read");
    let scalars = reader
        .scalars()
        .iter()
        .map(|(name, scalar)| (name.clone(), format!("{scalar:?}")))
        .collect();
    let tensors = reader.into_tensors().expect("what was written can be read");
    let tensors = tensors
        .into_iter()
        .map(|tensor| {
            let (name, _, _, _, bytes) = tensor.into_parts().expect("the bytes are there");
            (name, bytes.to_vec())
        })
        .collect();
    (tensors, scalars)
}

/// What a method remembers.
pub(crate) fn record(method: &AnyMethod) -> Vec<u8> {
    let bytes = method.to_record().into_bytes();
    bytes.expect("a method can be written").to_vec()
}
