//! Parts of a loss that need care: detached tensors, reads, inner derivatives, torn copies.

use std::sync::Arc;

use burn::module::Module;
use burn::tensor::{DType, Device, Tensor, TensorData};

use super::case::Feature;
use super::generator::Build;
use super::layer::{self, Fill};
use super::node::Node;
use super::scene::{Way, noise};
use super::value::{Value, joined, mapped};

impl Build {
    /// One of the features that need care.
    pub(super) fn special(&mut self) {
        let input = self.last();
        match self.random.below(9) {
            0 | 1 => {
                let done = self.try_step(
                    "x sin(detached x)".to_owned(),
                    vec![input],
                    Arc::new(|scene, x| {
                        let stopped = scene.stop(x[0].clone());
                        joined!(x[0].clone(), stopped, x, y => x * y.sin())
                    }),
                );
                if done {
                    self.features.insert(Feature::Detached);
                }
            }
            2 => self.reads_parameter(input),
            3 => {
                let done = self.try_step(
                    "x / (1 + max |x| read)".to_owned(),
                    vec![input],
                    Arc::new(|scene, x| {
                        let read = scene.read(|| largest(&x[0].entries()));
                        mapped!(x[0].clone(), x => x * (1.0 / (1.0 + read)))
                    }),
                );
                if done {
                    self.features.insert(Feature::ReadsActivation);
                }
            }
            4 => {
                let done = self.try_step(
                    "x / (1 + max |data| read)".to_owned(),
                    vec![input],
                    Arc::new(|scene, x| {
                        let read = scene.read(|| largest(&scene.data.x.entries()));
                        mapped!(x[0].clone(), x => x * (1.0 / (1.0 + read)))
                    }),
                );
                if done {
                    self.features.insert(Feature::ReadsData);
                }
            }
            5 => {
                let done = self.try_step(
                    "x times a read that may fail".to_owned(),
                    vec![input],
                    Arc::new(|scene, x| {
                        let mean = x[0].clone().flat().mean();
                        let read = scene.read(|| {
                            mean.try_into_scalar::<f64>()
                                .map_or(1.0, |m| 2.0 + m.tanh())
                        });
                        mapped!(x[0].clone(), x => x * read)
                    }),
                );
                if done {
                    self.features.insert(Feature::SwallowedRead);
                }
            }
            6 => self.inner_derivative(),
            7 => {
                let seed = self.random.next();
                let width = *self.dims(input).last().expect("an axis");
                let outside: Tensor<1> = Tensor::from_data(
                    TensorData::new(noise(seed, width), [width]),
                    (&Device::flex(), DType::F64),
                );
                let done = self.try_step(
                    "x times a tensor from outside".to_owned(),
                    vec![input],
                    Arc::new(
                        move |_, x| mapped!(x[0].clone(), x => x * outside.clone().unsqueeze()),
                    ),
                );
                if done {
                    self.features.insert(Feature::Outside);
                }
            }
            _ => self.torn(),
        }
    }

    fn reads_parameter(&mut self, input: usize) {
        let Some(node) = self
            .net
            .nodes
            .iter()
            .position(|node| matches!(node, Node::Loose(_)))
        else {
            return;
        };
        let kind = self.random.below(3);
        let done = self.try_step(
            format!("x times what is read of a parameter, way {kind}"),
            vec![input],
            Arc::new(move |scene, x| {
                let Node::Loose(loose) = &scene.net.nodes[node] else {
                    panic!("loose parameters")
                };
                let read = scene.read(|| {
                    let entries: Vec<f64> = loose.matrix.val().to_data().iter::<f64>().collect();
                    match kind {
                        0 => 1.0 / (0.5 + largest(&entries)),
                        1 => {
                            if entries[0] > 0.0 {
                                0.6
                            } else {
                                1.4
                            }
                        }
                        _ => entries.iter().filter(|entry| entry.abs() > 0.3).count() as f64 * 0.2,
                    }
                });
                mapped!(x[0].clone(), x => x * read)
            }),
        );
        if done {
            self.features.insert(Feature::ReadsParameter);
        }
    }

    /// The derivative of a layer's outputs in the batch's input.
    fn inner_derivative(&mut self) {
        let width = match self.values[0][0].dims()[..] {
            [_, width] => width,
            _ => return,
        };
        let linear = burn::nn::LinearConfig::new(width, 3).init(&self.device);
        let node = layer::filled(Node::Linear(linear), &mut self.random);
        let node = self.add_node(node);
        let again = self.random.once_in(2);
        let done = self.try_step(
            format!("node {node}: du/dx of tanh(Linear), once more {again}"),
            vec![0],
            Arc::new(move |scene, x| {
                let Value::Two(x) = x[0].clone() else {
                    panic!("a matrix")
                };
                let Node::Linear(layer) = &scene.net.nodes[node] else {
                    panic!("a linear layer")
                };
                // The measured closure takes what it is given; where there is no autodiff it makes
                // some.
                let x = if x.is_autodiff() {
                    x.detach().require_grad()
                } else {
                    Tensor::from_inner(x).require_grad()
                };
                let layer = match scene.way {
                    Way::Measured => layer.clone(),
                    _ => layer.clone().train(),
                };
                let u = layer.forward(x.clone()).tanh();
                let gradients = u.clone().sum().backward();
                let slope = x.grad(&gradients).expect("a gradient");
                match scene.way {
                    Way::Measured if again => {
                        Value::Two(Tensor::from_inner(slope) + u.mean().unsqueeze())
                    }
                    Way::Measured => Value::Two(Tensor::from_inner(slope)),
                    _ if again => Value::Two(slope + u.mean().unsqueeze().inner()),
                    _ => Value::Two(slope),
                }
            }),
        );
        if done {
            self.features.insert(Feature::InnerDerivative);
        } else {
            self.remove_node();
        }
    }

    /// A copy of a layer with its identifiers and other numbers, or other flags.
    fn torn(&mut self) {
        let input = self.last();
        let node = self.random.below(self.net.nodes.len());
        let copy = self.net.nodes[node].clone();
        let (copy, feature) = if self.random.once_in(2) {
            let mut fill = Fill::new(&mut self.random);
            fill.tears = true;
            (copy.map(&mut fill), Feature::Torn)
        } else {
            (copy.no_grad(), Feature::FrozenCopy)
        };
        let copy = self.add_node(copy);
        if self.layer_step(copy, input) {
            self.features.insert(feature);
        } else {
            self.remove_node();
        }
    }
}

fn largest(entries: &[f64]) -> f64 {
    entries
        .iter()
        .fold(0.0, |most, entry| most.max(entry.abs()))
}
