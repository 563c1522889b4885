//! The gradients of SAM.

use burn::module::{Module, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::tensor::{Device, Gradients, Tensor};
use sam::SamConfig;

use super::dot;
use super::risk::loss_of;
use crate::composition::case::{Case, Feature};
use crate::composition::finding::{Findings, measured};
use crate::composition::node::{Net, Normalising};
use crate::composition::scene::Data;
use crate::composition::truth::{Estimate, Truth, norm, scaled};
use crate::composition::value::{Value, mapped};

/// The batch as a training loop has it: on the autodiff device.
fn trained(data: Data, device: &Device) -> Data {
    let labels = data.labels.to_data();
    let tokens = data.tokens.to_data();
    Data {
        x: mapped!(data.x, x => Tensor::from_inner(x)),
        targets: Tensor::from_inner(data.targets),
        labels: Tensor::from_data(labels, device),
        tokens: Tensor::from_data(tokens, device),
        ..data
    }
}

/// The gradients of SAM on the first batch, BatchNorm training.
pub(super) fn measure(case: &Case, rho: f64, v: &[f64], found: &mut Findings) {
    // Of a derivative inside the loss Burn's gradient has only a part, in plain training too.
    if case.has(Feature::Dropout) || case.has(Feature::InnerDerivative) {
        return;
    }
    let truth = Truth::of(case, Normalising::WrittenOut, &case.batches[..1]);
    let dim = truth.layout.dim;
    let device = Device::flex().autodiff();
    let data = trained(case.batches[0].clone(), &device);
    let fresh = || case.net.valid().train();
    let descent = measured(|| {
        let model = fresh();
        SamConfig::new()
            .with_rho(rho)
            .init()?
            .gradient(&model, |net: &Net| loss_of(&case.recipe, net, &data))
    });
    let Some(descent) = found.usable("sam", descent) else {
        return;
    };
    let here = truth.conditioned(&vec![0.0; dim]);
    found.compare("sam, loss", descent.measured.loss, here, 1e-3, 1e-7, None);
    // Where the peak is follows from the gradient, which is checked by its slope.
    let plain = measured(|| {
        let model = fresh();
        let loss = loss_of(&case.recipe, &model, &data);
        let gradients = loss.backward();
        let mut collected = Collected {
            truth: &truth,
            gradients,
            entries: vec![0.0; dim],
        };
        model.visit(&mut collected);
        Ok::<_, String>(collected.entries)
    });
    let Some(g) = found.usable("sam, gradient", plain) else {
        return;
    };
    let length = norm(&g);
    let slope = truth.slope(v);
    if !found.compare(
        "sam, gradient",
        dot(&g, v),
        slope,
        length * 0.1 + 1e-4,
        1e-6,
        None,
    ) || length < 1e-8
    {
        return;
    }
    found.compare(
        "sam, norm",
        descent.measured.gradient_norm,
        Estimate::exact(length),
        1e-6,
        1e-6,
        None,
    );
    let peak = truth.moved(&scaled(&g, rho / length));
    if let Some(seen) = descent.measured.peak {
        let scale = here.value.abs().max(1e-2);
        found.compare("sam, peak", seen.loss, peak.value(), scale, 1e-5, None);
    }
    let mut entries = vec![0.0; dim];
    let mut collect = AtPeak {
        truth: &truth,
        gradients: &descent.gradients,
        entries: &mut entries,
    };
    case.net.visit(&mut collect);
    let scale = norm(&entries) * 0.1 + 1e-4;
    found.compare(
        "sam, gradient at the peak",
        dot(&entries, v),
        peak.slope(v),
        scale,
        1e-5,
        None,
    );
}

/// Burn's gradients by coordinate.
struct Collected<'t, 'c> {
    truth: &'t Truth<'c>,
    gradients: Gradients,
    entries: Vec<f64>,
}

impl ModuleVisitor for Collected<'_, '_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let Some(&offset) = self.truth.layout.offsets.get(&param.id) else {
            return;
        };
        let Some(gradient) = param.base().grad(&self.gradients) else {
            return;
        };
        for (index, entry) in gradient.to_data().iter::<f64>().enumerate() {
            self.entries[offset + index] += entry;
        }
    }
}

struct AtPeak<'t, 'c> {
    truth: &'t Truth<'c>,
    gradients: &'t GradientsParams,
    entries: &'t mut Vec<f64>,
}

impl ModuleVisitor for AtPeak<'_, '_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let Some(&offset) = self.truth.layout.offsets.get(&param.id) else {
            return;
        };
        let Some(gradient) = self.gradients.get::<D>(param.id) else {
            return;
        };
        for (index, entry) in gradient.to_data().iter::<f64>().enumerate() {
            self.entries[offset + index] = entry;
        }
    }
}
