//! The paths between two trained networks.

use std::ops::ControlFlow;

use anyhow::Result;
use burn::optim::AdamConfig;
use burn::tensor::Device;
use datasets::{Split, epoch_order};
use landscape::alignment::{AlignConfig, Alignment, align, symmetries};
use landscape::connectivity::{Curve, CurveConfig, PathProfile, Shape, profile, train_curve};
use landscape::slice::{Buffers, linspace};
use landscape::{Reduction, Risk};
use models::Mlp;

use crate::training::{Batch, accuracy, batches, loss, loss_of_scores, scores};

/// Points along a path, both ends included.
const POINTS: usize = 41;

/// Loss and accuracy on the training and the test images, as functions of the network.
pub struct Data {
    /// The scores and the loss on the training images apart, so that units that are renumbered are
    /// checked on the scores.
    pub scores: Risk<Mlp, Batch>,
    /// The loss on the training images, in batches of 64 for the training of a curve.
    pub batches: Risk<Mlp, Batch>,
    /// Loss and accuracy on the training images, then on the test images.
    pub quantities: [[Risk<Mlp, Batch>; 2]; 2],
}

impl Data {
    /// Returns the data of a split.
    ///
    /// # Errors
    /// A part without images.
    pub fn of(split: &Split, device: &Device) -> Result<Self> {
        let part = |data| -> Result<_> {
            let whole = batches(data, 512, device)?;
            Ok([Risk::mean(whole.clone(), loss), Risk::mean(whole, accuracy)])
        };
        Ok(Self {
            scores: Risk::of(
                batches(&split.train, 512, device)?,
                scores,
                loss_of_scores,
                Reduction::Mean,
            ),
            batches: Risk::mean(batches(&split.train, 64, device)?, loss),
            quantities: [part(&split.train)?, part(&split.test)?],
        })
    }

    /// Returns the loss on the training images.
    #[must_use]
    pub const fn training(&self) -> &Risk<Mlp, Batch> {
        &self.quantities[0][0]
    }
}

/// Losses and accuracies along a path.
pub struct Path {
    /// The loss on the training and on the test images.
    pub loss: [PathProfile; 2],
    /// The share of training and of test images that are classified rightly, at the same points.
    pub accuracy: [Vec<f64>; 2],
}

impl Path {
    fn along(curve: &Curve<Mlp>, data: &Data) -> Result<Self> {
        let t = linspace(0.0..=1.0, POINTS);
        let measure = |risk| profile(curve, risk, &Buffers::Interpolate, &t);
        let [training, test] = &data.quantities;
        Ok(Self {
            loss: [measure(&training[0])?, measure(&test[0])?],
            accuracy: [measure(&training[1])?.loss, measure(&test[1])?.loss],
        })
    }
}

/// The paths between two networks A and B.
pub struct Paths {
    /// The straight line.
    pub line: Path,
    /// The Bezier curve whose bend was trained.
    pub bezier: Path,
    /// The straight line from A to B with its units renumbered.
    pub aligned: Path,
    /// The trained curve.
    pub curve: Curve<Mlp>,
    /// B with its units renumbered.
    pub alignment: Alignment<Mlp>,
}

/// Measures the line between two networks, a Bezier curve trained by Adam for so many steps, and
/// the line to the second network with its hidden units renumbered to match the first.
///
/// # Errors
/// Networks or data that cannot be measured.
pub fn paths(a: &Mlp, b: &Mlp, data: &Data, steps: usize) -> Result<Paths> {
    let line = Path::along(&Curve::between(a, b, Shape::Line)?, data)?;

    let bezier = Curve::between(a, b, Shape::Bezier)?;
    let config = CurveConfig::new(0.01).with_steps(steps);
    let mut adam = AdamConfig::new().init();
    let every = |_: &_| ControlFlow::Continue(());
    let curve = train_curve(bezier, &data.batches, &mut adam, &config, every)?.curve;
    let bezier = Path::along(&curve, data)?;

    let alignment = align(a, b, &data.scores, &AlignConfig::new())?;
    let straight = Curve::between(a, &alignment.model, Shape::Line)?;
    let aligned = Path::along(&straight, data)?;
    Ok(Paths {
        line,
        bezier,
        aligned,
        curve,
        alignment,
    })
}

/// Returns the squared distance between a network and its copy with renumbered units, before and
/// after the copy is aligned with it: zero where the numbering was found again.
///
/// # Errors
/// As [`align`].
pub fn distance_of_copy(model: &Mlp, data: &Data, seed: u64) -> Result<[f64; 2]> {
    let found = symmetries(model, &data.scores)?;
    let orders = found.groups.iter().zip(0..);
    let orders: Vec<Vec<usize>> = orders
        .map(|(group, number)| epoch_order(seed, number, group.units))
        .collect();
    let copy = found.permute(model, &orders)?;
    let alignment = align(model, &copy, &data.scores, &AlignConfig::new())?;
    Ok([
        alignment.squared_distance_before,
        alignment.squared_distance_after,
    ])
}
