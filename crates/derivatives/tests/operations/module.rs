//! A module of burn-nn checked as it is: as [`harness`](super::harness) checks an operation.

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::tensor::{Device, Tensor, TensorData};
use derivatives::{Capture, Statistics};

use super::burns::Burns;
use super::harness::{Row, device, entries, flex, noise, row, scalar};

/// Noise of a shape, the same on every device, in the device's float type.
pub(crate) fn input<const D: usize>(shape: [usize; D], seed: u64, device: &Device) -> Tensor<D> {
    let len = shape.iter().product();
    let data = TensorData::new(noise(len, seed), shape);
    Tensor::from_data(data, device)
}

/// Makes every run start from the same parameters, which a module chooses by chance.
struct Fixed {
    seed: u64,
}

impl ModuleMapper for Fixed {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        if !param.is_require_grad() {
            return param;
        }
        self.seed += 1;
        let seed = self.seed;
        param.map(|tensor| {
            let values: Tensor<D> = input(tensor.dims(), seed, &tensor.device().without_autodiff());
            Tensor::from_inner(values * 0.5).require_grad()
        })
    }
}

/// Burn's gradient of the parameters, in visit order.
struct Flatten<'a> {
    gradients: &'a GradientsParams,
    values: Vec<f64>,
}

impl ModuleVisitor for Flatten<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if !param.is_require_grad() {
            return;
        }
        match self.gradients.get::<D>(param.id) {
            Some(gradient) => self.values.extend(gradient.into_data().iter::<f64>()),
            None => {
                let len = param.val().shape().num_elements();
                self.values.extend(vec![0.0; len]);
            }
        }
    }
}

pub(crate) fn check_module<M: Module, const D: usize>(
    name: &str,
    make: impl Fn(&Device) -> M,
    forward: impl Fn(&M, &Device) -> Tensor<D>,
) -> Row {
    check_with(name, Statistics::Running, make, forward)
}

pub(crate) fn check_with<M: Module, const D: usize>(
    name: &str,
    statistics: Statistics,
    make: impl Fn(&Device) -> M,
    forward: impl Fn(&M, &Device) -> Tensor<D>,
) -> Row {
    let auto = device().autodiff();
    let model = make(&auto).map(&mut Fixed { seed: 200 });
    let capture = |model: &M| {
        Capture::of(model)
            .with_statistics(statistics)
            .outputs_and_loss(&forward, |out, _| scalar(out))
    };
    let loss = capture(&model).unwrap_or_else(|error| panic!("{name}: {error}"));
    let burns = Burns::of(
        || scalar(forward(&model, &auto)),
        |burn| {
            let mut flat = Flatten {
                gradients: &GradientsParams::from_grads(burn.backward(), &model),
                values: Vec::new(),
            };
            model.visit(&mut flat);
            flat.values
        },
    );
    // Other parameters: the row is at those of the model above.
    let on_flex = || capture(&make(&flex().autodiff())).expect("a capture");
    row(name, &loss, &entries(loss.origin()), burns, on_flex)
}
