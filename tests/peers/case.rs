//! The problems: a network, data, a tangent and a plane.

use anyhow::Result;
use burn::module::{ModuleVisitor, Param};
use burn::tensor::{Device, Tensor, TensorData};
use datasets::{Digits, ImageDataset, MnistSubset, batch};
use landscape::{Grid, ParameterSpace, Risk, filter_normalize, random_direction};
use models::{Classifier, Cnn, CnnConfig, Mlp, MlpConfig};

use tests::{ImageBatch, image_loss};

use crate::exchange::Named;

/// One problem of the comparison.
pub(crate) trait Case {
    type Model: Classifier + Sync + 'static;
    /// Points of the plane along each direction.
    const SIDE: usize;
    fn network(device: &Device) -> Self::Model;
    fn data() -> Result<(ImageDataset, usize)>;
}

/// 64-32-16-10 on all 1,797 digits.
pub(crate) struct DigitsMlp;

impl Case for DigitsMlp {
    type Model = Mlp;
    const SIDE: usize = 21;

    fn network(device: &Device) -> Mlp {
        MlpConfig::new(vec![64, 32, 16, 10])
            .init_seeded(1, device)
            .expect("a network")
    }

    fn data() -> Result<(ImageDataset, usize)> {
        let images = Digits::load()?.images;
        let examples = images.len();
        Ok((images, examples))
    }
}

/// 784-128-64-10 on 4,096 images of MNIST.
pub(crate) struct MnistMlp;

impl Case for MnistMlp {
    type Model = Mlp;
    const SIDE: usize = 11;

    fn network(device: &Device) -> Mlp {
        MlpConfig::new(vec![784, 128, 64, 10])
            .init_seeded(1, device)
            .expect("a network")
    }

    fn data() -> Result<(ImageDataset, usize)> {
        Ok((MnistSubset::load()?.train, 4096))
    }
}

/// The network of the second example without its BatchNorm, on 1,024 images of MNIST.
pub(crate) struct MnistCnn;

impl Case for MnistCnn {
    type Model = Cnn;
    const SIDE: usize = 11;

    fn network(device: &Device) -> Cnn {
        CnnConfig::new(28)
            .init_seeded(1, device)
            .expect("a network")
    }

    fn data() -> Result<(ImageDataset, usize)> {
        Ok((MnistSubset::load()?.train, 1024))
    }
}

/// A case with everything drawn.
pub(crate) struct Problem<M> {
    pub(crate) model: M,
    pub(crate) batch: ImageBatch,
    pub(crate) v: Tensor<1>,
    pub(crate) directions: [Tensor<1>; 2],
    pub(crate) grid: Grid,
}

impl<M: Classifier + Sync + 'static> Problem<M> {
    pub(crate) fn of<C: Case<Model = M>>() -> Result<Self> {
        // Parameters that are to have gradients stand on an autodiff device.
        let device = Device::flex().autodiff();
        let model = C::network(&device);
        let (data, examples) = C::data()?;
        let indices: Vec<usize> = (0..examples).collect();
        let batch = batch(&data, &indices, &Device::flex()).into_pair();
        let space = ParameterSpace::of(&model)?;
        let direction = |seed| filter_normalize(&space, &model, random_direction(&space, seed));
        Ok(Self {
            v: random_direction(&space, 3),
            directions: [direction(4)?, direction(5)?],
            grid: Grid::square(-0.5..=0.5, C::SIDE),
            model,
            batch,
        })
    }

    /// All examples in one batch.
    pub(crate) fn risk(&self) -> Risk<M, ImageBatch> {
        Risk::mean([self.batch.clone()], image_loss)
    }

    pub(crate) fn tensors(&self) -> Vec<Named> {
        struct Parameters(Vec<TensorData>);
        impl ModuleVisitor for Parameters {
            fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
                self.0.push(param.val().into_data());
            }
        }
        let mut parameters = Parameters(Vec::new());
        self.model.visit(&mut parameters);
        let mut tensors: Vec<Named> = parameters
            .0
            .into_iter()
            .enumerate()
            .map(|(index, data)| Named::new(format!("parameter{index:02}"), data))
            .collect();
        let (images, labels) = &self.batch;
        let axis = |values: &[f64]| TensorData::new(values.to_vec(), [values.len()]);
        tensors.extend([
            Named::new("images", images.to_data()),
            Named::new("labels", labels.to_data()),
            Named::vector("v", &self.v),
            Named::vector("d1", &self.directions[0]),
            Named::vector("d2", &self.directions[1]),
            Named::new("a", axis(&self.grid.a)),
            Named::new("b", axis(&self.grid.b)),
        ]);
        tensors
    }
}
