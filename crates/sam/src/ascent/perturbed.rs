//! The parameters that the ascent moves.

use std::collections::HashSet;

use burn::module::{Module, ModuleVisitor, Param, ParamGroup, ParamId};
use burn::optim::GradientsParams;
use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Pass};
use crate::module::is_norm_layer;

/// The parameters that the ascent moves.
///
/// The others stay at `w` in the second pass, and the norm of the gradient is taken over those that
/// move. The optimiser steps all.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Perturbed {
    /// All parameters that have a gradient.
    All,
    /// The scales and shifts of Burn's norm layers (batch, layer, group, instance and RMS): SAM-ON
    /// (Mueller et al. 2023).
    NormLayers,
    /// The parameters of a group: by path, by part of a path, by regular expression, by identifier.
    Group(ParamGroup),
}

impl Perturbed {
    /// Returns the trained parameters of a model that the ascent moves; `None` for all.
    ///
    /// # Errors
    /// [`Error::ChoosesNothing`], where the selection has no trained parameter.
    pub(crate) fn of<M: Module>(&self, model: &M) -> Result<Option<HashSet<ParamId>>, Error> {
        if matches!(self, Self::All) {
            return Ok(None);
        }
        let mut chosen = Chosen {
            perturbed: self,
            path: Vec::new(),
            norm_layers: 0,
            ids: HashSet::new(),
            paths: Vec::new(),
        };
        model.visit(&mut chosen);
        if chosen.ids.is_empty() {
            return Err(Error::ChoosesNothing {
                selection: self.name(),
                paths: some_of(&chosen.paths),
            });
        }
        Ok(Some(chosen.ids))
    }

    /// Returns the selection as it is written in Rust, without the end of a long list.
    fn name(&self) -> String {
        const LONG: usize = 200;
        let name = format!("Perturbed::{self:?}");
        match name.char_indices().nth(LONG) {
            Some((end, _)) => format!("{}..", &name[..end]),
            None => name,
        }
    }

    /// Refuses gradients that have nothing for the chosen parameters.
    ///
    /// # Errors
    /// [`Error::NoGradient`], or with a selection [`Error::ChosenWithoutGradient`].
    pub(crate) fn check_gradients<M: Module>(
        &self,
        model: &M,
        chosen: Option<&HashSet<ParamId>>,
        gradients: &GradientsParams,
        pass: Pass,
    ) -> Result<(), Error> {
        let mut any = Any {
            chosen,
            gradients,
            is_there: false,
        };
        model.visit(&mut any);
        if any.is_there {
            return Ok(());
        }
        Err(match chosen {
            None => Error::NoGradient { pass },
            Some(_) => Error::ChosenWithoutGradient {
                pass,
                selection: self.name(),
            },
        })
    }
}

/// Writes the first paths of a list.
fn some_of(paths: &[String]) -> String {
    const SOME: usize = 12;
    let some: Vec<String> = paths.iter().take(SOME).map(|p| format!("`{p}`")).collect();
    let more = if paths.len() > SOME { " and more" } else { "" };
    format!("{}{more}", some.join(", "))
}

/// The answer to whether there is a gradient for a chosen parameter.
struct Any<'a> {
    chosen: Option<&'a HashSet<ParamId>>,
    gradients: &'a GradientsParams,
    is_there: bool,
}

impl ModuleVisitor for Any<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let is_chosen = |chosen: &HashSet<ParamId>| chosen.contains(&param.id);
        self.is_there |= !self.is_there
            && param.is_require_grad()
            && self.chosen.is_none_or(is_chosen)
            && self.gradients.get::<D>(param.id).is_some();
    }
}

struct Chosen<'a> {
    perturbed: &'a Perturbed,
    path: Vec<String>,
    /// The number of norm layers among the modules around.
    norm_layers: usize,
    ids: HashSet<ParamId>,
    /// The paths of all trained parameters, chosen or not.
    paths: Vec<String>,
}

impl ModuleVisitor for Chosen<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if !param.is_require_grad() {
            return;
        }
        let path = self.path.join(".");
        let is_chosen = match self.perturbed {
            Perturbed::All => true,
            Perturbed::NormLayers => self.norm_layers > 0,
            Perturbed::Group(group) => group.matches(&param.id, Some(&path)),
        };
        if is_chosen {
            self.ids.insert(param.id);
        }
        self.paths.push(path);
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
