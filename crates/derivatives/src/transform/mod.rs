//! From programs to programs: derivative in, derivative out.
//!
//! All of them add nodes to one graph, so what a derivative shares with the function is shared in
//! fact. With the loss L of θ:
//!
//! - [`jvp`]: `L̇ = L′(θ) v`;
//! - [`gradient`]: the transpose of the linear map `v ↦ L̇`, applied to 1;
//! - a Hessian-vector product is the derivative of the gradient along v (Pearlmutter 1994);
//! - `vᵀHv` is the derivative of `L̇` along v: by [`jvp`] once more, without any transpose, or,
//!   where the adjoints of the gradient are there already, by [`quadratic`];
//! - [`batch`]: the program of many inputs at once;
//! - [`on_plane`]: `(a, b) ↦ L(θ + a d₁ + b d₂)`, with the derivatives along d₁ and d₂ of all that
//!   is affine;
//! - [`row_squares`]: the squares of what the single examples give to a gradient.

mod affine;
mod affine_blocks;
mod batch;
mod evaluated;
mod forward;
mod products;
mod quadratic;
mod row_axis;
mod row_squares;
mod transpose;

pub(crate) use affine::on_plane;
pub(crate) use batch::batch;
pub(crate) use evaluated::evaluated;
pub(crate) use forward::jvp;
pub(crate) use products::{Linear, Program};
pub(crate) use quadratic::quadratic;
pub(crate) use transpose::transpose;

use crate::graph::{Graph, NodeId};

/// Returns the gradient of the scalar `loss` with respect to each of `variables`; zero where it
/// does not depend on one.
pub(crate) fn gradient(graph: &mut Graph, loss: NodeId, variables: &[NodeId]) -> Vec<NodeId> {
    let one = graph.fill(1.0, loss);
    vjp(graph, &[(loss, one)], variables)
}

/// Returns `Σₒ Jₒᵀ cₒ` for outputs o with cotangents c, with respect to each of `variables`.
pub(crate) fn vjp(
    graph: &mut Graph,
    outputs: &[(NodeId, NodeId)],
    variables: &[NodeId],
) -> Vec<NodeId> {
    // The derivative along a direction that is only a name, and then the transpose in it.
    let set = graph.fresh_set();
    let directions: Vec<NodeId> = variables
        .iter()
        .enumerate()
        .map(|(index, &variable)| {
            let (shape, dtype) = (graph.shape(variable).to_vec(), graph.dtype(variable));
            graph.slot(set, index, shape, dtype)
        })
        .collect();
    let seeds: Vec<_> = variables
        .iter()
        .copied()
        .zip(directions.iter().copied())
        .collect();
    let targets: Vec<NodeId> = outputs.iter().map(|&(output, _)| output).collect();
    let tangents = jvp(graph, &seeds, &targets);
    let linear: Vec<_> = tangents
        .into_iter()
        .zip(outputs)
        .filter_map(|(tangent, &(_, cotangent))| Some((tangent?, cotangent)))
        .collect();
    transpose(graph, &linear, &directions)
        .into_iter()
        .zip(variables)
        .map(|(cotangent, &variable)| cotangent.unwrap_or_else(|| graph.fill(0.0, variable)))
        .collect()
}
