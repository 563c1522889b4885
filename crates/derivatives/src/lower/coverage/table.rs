//! `COVERAGE.md`, made from the classes.

use std::fmt::Write as _;
use std::path::PathBuf;

use burn::tensor::{DType, TensorData};
use burn_backend::Shape;
use burn_ir::{BinaryOpIr, CtcLossBackwardOpIr, CustomOpIr, TensorId, TensorIr};

use super::*;
use crate::lower::Lowering;

impl Exception {
    const ALL: [Self; 6] = [
        Self::Random,
        Self::Quantised,
        Self::OneOfYourOwn,
        Self::Collective,
        Self::CtcBackward,
        Self::HalfPrecision,
    ];

    const fn title(self) -> &'static str {
        match self {
            Self::Random => "random numbers",
            Self::Quantised => "quantisation",
            Self::OneOfYourOwn => "operations of your own",
            Self::Collective => "collective operations",
            Self::CtcBackward => "the backward pass of CTC inside a loss",
            Self::HalfPrecision => "f16 and bf16",
        }
    }

    const fn workaround(self) -> &'static str {
        match self {
            Self::Random => "draw on the host and pass the numbers in with the batch",
            Self::Quantised => "measure the model before it is quantised",
            Self::OneOfYourOwn => "write it in Burn's operations for measuring",
            Self::Collective => "capture the loss of each device for itself, and add up",
            Self::CtcBackward => "no backend of Burn 0.22.1 records it",
            Self::HalfPrecision => "cast the model to f32",
        }
    }
}

/// Layers, losses and functions of Burn that are not captured as they are, and what to do.
const LAYERS: &[(&str, &str, &str)] = &[
    (
        "`PoissonNllLoss`",
        "reads the targets to check their signs",
        "differences of gradients, or the formula written out: `(x.exp() - y * x).mean()`",
    ),
    (
        "`Tensor::one_hot`, `one_hot_fill`",
        "read the classes",
        "make them with the batch, outside the loss",
    ),
    (
        "`CTCLoss`",
        "reads the lengths in debug builds; captured in release builds",
        "differences of gradients in debug builds",
    ),
    (
        "`Dropout`, `GaussianNoise`, `RRelu`",
        "do in a captured loss what they do in evaluation",
        "for a fixed mask, pass it in with the batch and multiply",
    ),
    (
        "`Tensor::detach`",
        "is not recorded: the captured loss is differentiated through it",
        "differences of gradients, which `landscape` takes by itself when it finds another gradient than Burn's",
    ),
    (
        "`backward` inside a loss, as for a penalty on a gradient",
        "Burn's recording device takes no gradients",
        "write the inner gradient out in operations; Burn's backward operations themselves are covered",
    ),
    (
        "`interpolate`, `grid_sample_2d`",
        "modes that the device has not are errors that name the mode",
        "a mode that it has",
    ),
    (
        "`BatchNorm`",
        "normalises with running statistics, unless told otherwise",
        "`Statistics::Batch` for those of the batch",
    ),
];

fn markdown() -> String {
    let mut text = String::from(
        "# Coverage\n\nMade from the matches in `src/lower/coverage/mod.rs` by the test \
         `the_table_of_the_documentation_is_that_of_the_code`.\n\n## Operations\n\n\
         | tensors | class | recorded operations |\n|---|---|---|\n",
    );
    for (tensors, rows) in [
        ("floats", BASE),
        ("floats", NUMERIC),
        ("floats", FLOAT),
        ("activations", ACTIVATION),
        ("layers", MODULE),
        ("integers", NUMERIC_INT),
        ("integers", INT),
        ("booleans", BOOL),
        ("several devices", DISTRIBUTED),
    ] {
        for (class, names) in rows {
            let class = match class {
                Differentiable => "differentiable",
                Constant => "piecewise constant",
                Class::Exception(exception) => exception.title(),
            };
            let names: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
            let _ = writeln!(text, "| {tensors} | {class} | {} |", names.join(", "));
        }
    }
    text.push_str(
        "| integers, booleans | piecewise constant | all operations of shape, indexing, comparison \
         and creation |\n\n## Exceptions\n\n| exception | why | instead |\n|---|---|---|\n",
    );
    for exception in Exception::ALL {
        let (title, reason) = (exception.title(), exception.reason());
        let _ = writeln!(text, "| {title} | {reason} | {} |", exception.workaround());
    }
    text.push_str(
        "\n## Layers and losses\n\nAll of burn-nn 0.22.1 are captured and tested one by one, but:\n\n\
         | | | instead |\n|---|---|---|\n",
    );
    for (layer, why, instead) in LAYERS {
        let _ = writeln!(text, "| {layer} | {why} | {instead} |");
    }
    text
}

#[test]
fn the_table_of_the_documentation_is_that_of_the_code() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("COVERAGE.md");
    if std::env::var_os("WRITE_COVERAGE").is_some() {
        std::fs::write(&path, markdown()).expect("the crate's folder can be written to");
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        written == markdown(),
        "COVERAGE.md is stale: run this test with WRITE_COVERAGE=1"
    );
}

#[test]
fn exceptions_are_few() {
    assert!(Exception::ALL.len() <= 8);
    for exception in Exception::ALL {
        assert!(!exception.reason().contains(". "), "one sentence each");
    }
}

#[test]
fn no_variant_stands_in_two_classes() {
    for rows in [
        BASE,
        NUMERIC,
        NUMERIC_INT,
        FLOAT,
        ACTIVATION,
        MODULE,
        BOOL,
        INT,
    ] {
        let mut names: Vec<_> = rows.iter().flat_map(|(_, names)| names.iter()).collect();
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
    }
}

fn tensor(id: u64) -> TensorIr {
    TensorIr::uninit(TensorId::new(id), Shape::from(vec![2]), DType::F32)
}

fn lowered(operation: &OperationIr) -> Result<(), Error> {
    let device = burn::tensor::Device::flex();
    let values = [0, 1]
        .map(|id| (TensorId::new(id), TensorData::from([1.0_f32, 2.0])))
        .into();
    let mut lowering = Lowering::new(
        values,
        Default::default(),
        Default::default(),
        device.as_dispatch().clone(),
    );
    lowering.operation(operation)
}

/// Returns the operations that Burn's tensor API cannot record on the CPU, by hand.
#[test]
fn what_cannot_be_recorded_here_is_refused_by_name_and_reason() {
    let custom = OperationIr::Custom(CustomOpIr::new("mine", &[tensor(0)], &[tensor(2)]));
    let collective = OperationIr::Distributed(DistributedOperationIr::SyncCollective);
    let backward = OperationIr::Module(ModuleOperationIr::CtcLossBackward(CtcLossBackwardOpIr {
        log_probs: tensor(0),
        targets: tensor(0),
        input_lengths: tensor(0),
        target_lengths: tensor(0),
        grad_loss: tensor(0),
        blank: 0,
        out: tensor(2),
    }));
    for (operation, name, exception) in [
        (custom, "Custom(mine)", Exception::OneOfYourOwn),
        (collective, "SyncCollective", Exception::Collective),
        (backward, "CtcLossBackward", Exception::CtcBackward),
    ] {
        assert_eq!(
            lowered(&operation),
            Err(Error::Unsupported {
                operation: name.to_owned(),
                option: exception.reason().to_owned(),
                near: None,
            })
        );
    }
}

#[test]
fn what_has_a_rule_is_not_refused() {
    let add = NumericOperationIr::Add(BinaryOpIr {
        lhs: tensor(0),
        rhs: tensor(1),
        out: tensor(2),
    });
    assert_eq!(lowered(&OperationIr::NumericFloat(DType::F32, add)), Ok(()));
}
