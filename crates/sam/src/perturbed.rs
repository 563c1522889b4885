//! Which parameters the ascent moves.

use std::collections::HashSet;

use burn::config::Config;
use burn::module::{Module, ModuleVisitor, Param, ParamGroup, ParamId};
use burn::tensor::Tensor;

/// The parameters that the ascent moves. The others stay at w in the second pass, and the norm of the
/// gradient is taken over the moved ones alone. The optimiser steps all.
#[derive(Config, Debug)]
pub enum Perturbed {
    /// All that have a gradient.
    All,
    /// The scales and shifts of Burn's norm layers (batch, layer, group, instance and RMS): SAM-ON
    /// (Mueller et al. 2023).
    NormLayers,
    /// Those of a group: by path, by part of a path, by regular expression, by identifier.
    Group(ParamGroup),
}

impl Perturbed {
    /// The parameters; `None` for all.
    pub(crate) fn of<M: Module>(&self, model: &M) -> Option<HashSet<ParamId>> {
        if matches!(self, Self::All) {
            return None;
        }
        let mut chosen = Chosen {
            perturbed: self,
            path: Vec::new(),
            norm_layers: 0,
            ids: HashSet::new(),
        };
        model.visit(&mut chosen);
        Some(chosen.ids)
    }
}

const NORM_LAYERS: [&str; 5] = [
    "BatchNorm",
    "LayerNorm",
    "GroupNorm",
    "InstanceNorm",
    "RmsNorm",
];

fn is_norm_layer(container_type: &str) -> bool {
    let name = container_type.rsplit(':').next().unwrap_or(container_type);
    NORM_LAYERS.contains(&name)
}

struct Chosen<'a> {
    perturbed: &'a Perturbed,
    path: Vec<String>,
    /// How many of the modules around are norm layers.
    norm_layers: usize,
    ids: HashSet<ParamId>,
}

impl ModuleVisitor for Chosen<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let is_chosen = match self.perturbed {
            Perturbed::All => true,
            Perturbed::NormLayers => self.norm_layers > 0,
            Perturbed::Group(group) => group.matches(&param.id, Some(&self.path.join("."))),
        };
        if is_chosen {
            self.ids.insert(param.id);
        }
    }

    fn enter_module(&mut self, name: &str, container_type: &str) {
        self.path.push(name.to_owned());
        self.norm_layers += usize::from(is_norm_layer(container_type));
    }

    fn exit_module(&mut self, _name: &str, container_type: &str) {
        self.path.pop();
        self.norm_layers -= usize::from(is_norm_layer(container_type));
    }
}
