//! A case with everything drawn, written for both sides and read again.

use std::path::Path;

use anyhow::Result;
use burn::store::{BurnToPyTorchAdapter, ModuleSnapshot, SafetensorsStore};
use burn::tensor::{DType, Device, Int, Tensor, TensorData};
use datasets::batch;
use landscape::{
    Batch as _, Grid, ParameterSpace, Reduction, Risk, filter_normalize, random_direction,
};
use models::{Classifier, load_pytorch_safetensors};
use tests::{ImageBatch, cross_entropy};

use crate::case::Case;
use crate::exchange::{Named, Tensors, write};
use crate::training::trained;

const WEIGHTS: &str = "model.safetensors";
const TENSORS: &str = "problem.safetensors";
const ORDER: &str = "order.json";

/// The trained network, the data, a tangent and a plane.
pub(crate) struct Problem<M> {
    pub(crate) model: M,
    /// All examples.
    pub(crate) batch: ImageBatch,
    /// The number of batches in which they are given.
    pub(crate) batches: usize,
    pub(crate) v: Tensor<1>,
    pub(crate) directions: [Tensor<1>; 2],
    pub(crate) grid: Grid,
}

/// Trains the network and writes three files to `folder`: its weights as PyTorch names them, the
/// data with the vectors, and the order of the coordinates.
pub(crate) fn prepare<M: Classifier>(case: &Case, model: M, folder: &Path) -> Result<()> {
    let data = case.load()?;
    let model = trained(model, &data, case.examples)?;
    let mut store =
        SafetensorsStore::from_file(folder.join(WEIGHTS)).with_to_adapter(BurnToPyTorchAdapter);
    model.save_into(&mut store)?;
    let space = ParameterSpace::of(&model)?;
    let direction = |seed| filter_normalize(&space, &model, random_direction(&space, seed));
    let indices: Vec<usize> = (0..case.examples).collect();
    let (images, labels) = batch(&data, &indices, &Device::flex()).into_pair();
    let grid = Grid::square(-0.5..=0.5, case.side);
    let tensors = [
        Named::new("images", images.to_data()),
        Named::new("labels", labels.to_data()),
        Named::vector("v", &random_direction(&space, 3)),
        Named::vector("d1", &direction(4)?),
        Named::vector("d2", &direction(5)?),
        Named::numbers("a", &grid.a),
        Named::numbers("b", &grid.b),
    ];
    write(&folder.join(TENSORS), &tensors)?;
    let blocks = space.blocks.iter();
    let order = blocks
        .map(|block| {
            serde_json::json!({
                "path": block.path,
                "layer": block.layer,
                "shape": block.shape,
            })
        })
        .collect::<Vec<_>>();
    std::fs::write(folder.join(ORDER), serde_json::to_string(&order)?)?;
    Ok(())
}

impl<M: Classifier + Sync + 'static> Problem<M> {
    /// Reads what [`prepare`] wrote; `model` has any weights.
    pub(crate) fn read(case: &Case, model: M, folder: &Path, batches: usize) -> Result<Self> {
        let device = Device::flex();
        let mut tensors = Tensors::read(&folder.join(TENSORS))?;
        let images = floats(tensors.take("images")?, &device);
        let labels = Tensor::<1, Int>::from_data(tensors.take("labels")?, &device);
        let mut vector = |name| Ok::<_, anyhow::Error>(floats(tensors.take(name)?, &device));
        Ok(Self {
            model: load_pytorch_safetensors(model, folder.join(WEIGHTS))?,
            batch: (images, labels),
            batches,
            v: vector("v")?,
            directions: [vector("d1")?, vector("d2")?],
            grid: Grid::square(-0.5..=0.5, case.side),
        })
    }

    /// The examples in their batches.
    pub(crate) fn risk(&self) -> Risk<M, ImageBatch> {
        let examples = self.batch.examples();
        let start = |index: usize| index * examples / self.batches;
        let part = |index| self.batch.clone().narrow(start(index)..start(index + 1));
        risk_of((0..self.batches).map(part).collect())
    }
}

/// The mean cross entropy over batches, outputs and loss apart.
pub(crate) fn risk_of<M: Classifier + Sync + 'static>(
    batches: Vec<ImageBatch>,
) -> Risk<M, ImageBatch> {
    Risk::of(
        batches,
        |model: &M, (images, _): &ImageBatch| model.logits(images.clone()),
        |logits: Tensor<2>, (_, labels): &ImageBatch| cross_entropy(logits, labels.clone()).mean(),
        Reduction::Mean,
    )
}

/// A tensor of f32 on the host's device.
fn floats<const D: usize>(data: TensorData, device: &Device) -> Tensor<D> {
    Tensor::from_data(data, (device, DType::F32))
}
