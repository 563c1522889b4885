//! Convolutions without a matrix of patches, where a device has kernels for them.
//!
//! A convolution is the product of its weight and the patches of its images, its derivative by the
//! weight that of the outputs and the patches, and its transpose the sum of patches that the
//! transposed weight gives. Patches are several times as large as the images: steps that use them
//! for nothing else take the images instead.
//!
//! This is below the rules of differentiation: only plans know it.

use std::collections::{HashMap, HashSet};

use burn::tensor::DType;
use flex_kernels::Windows;

use super::planning::Planned;
use super::step::{Direct, Step, Work};
use crate::graph::Graph;
use crate::primitive::{Binary, MatMul, Patches, Primitive};

impl Planned {
    /// Puts convolutions in the place of products with patches.
    pub(super) fn make_direct(&mut self, graph: &Graph) {
        let plan = &mut self.plan;
        let nodes = &self.nodes;
        let shape = |value: usize| nodes.get(value).map(|&id| graph.shape(id));
        let inputs = |steps: &[Step]| -> HashSet<usize> {
            let all = steps.iter().flat_map(|step| &step.inputs);
            all.copied().collect()
        };
        let mut later: HashSet<usize> = HashSet::new();
        for (steps, outputs) in plan.groups.iter_mut().zip(&plan.outputs) {
            // Groups do not run together: what one uses says nothing of another.
            let elsewhere = outputs.iter().copied().collect();
            later.extend(inputs(steps));
            Steps::of(steps, &elsewhere).make_direct(shape);
            later.extend(outputs);
        }
        for steps in [&mut plan.point, &mut plan.data] {
            let used = inputs(steps);
            Steps::of(steps, &later).make_direct(shape);
            later.extend(used);
        }
    }
}

/// The steps of a stage.
struct Steps<'a> {
    steps: &'a mut Vec<Step>,
    /// For each value, the step that makes it.
    makers: HashMap<usize, usize>,
    /// For each value, the steps that use it.
    users: HashMap<usize, Vec<usize>>,
    /// Values that others than these steps use.
    elsewhere: &'a HashSet<usize>,
    /// Steps that nothing uses any more.
    gone: HashSet<usize>,
}

impl<'a> Steps<'a> {
    fn of(steps: &'a mut Vec<Step>, elsewhere: &'a HashSet<usize>) -> Self {
        let mut users: HashMap<usize, Vec<usize>> = HashMap::new();
        for (index, step) in steps.iter().enumerate() {
            for &input in &step.inputs {
                users.entry(input).or_default().push(index);
            }
        }
        let makers = steps.iter().enumerate();
        Self {
            makers: makers.map(|(index, step)| (step.out, index)).collect(),
            steps,
            users,
            elsewhere,
            gone: HashSet::new(),
        }
    }

    fn make_direct<'g>(mut self, shape: impl Fn(usize) -> Option<&'g [usize]>) {
        for index in 0..self.steps.len() {
            self.of_patches(index, &shape);
            self.of_sum_of_patches(index, &shape);
        }
        for index in 0..self.steps.len() {
            self.join_terms(index);
        }
        let gone = self.gone;
        let mut index = 0..;
        self.steps
            .retain(|_| index.next().is_none_or(|index| !gone.contains(&index)));
    }

    /// Takes the images in the place of their patches in all steps that use them, if all can.
    fn of_patches<'g>(
        &mut self,
        index: usize,
        shape: &impl Fn(usize) -> Option<&'g [usize]>,
    ) -> Option<()> {
        let step = &self.steps[index];
        let Work::One(Primitive::Patches(Patches::Extract { window, output })) = &step.work else {
            return None;
        };
        let (patches, x) = (step.out, step.inputs[0]);
        let of_images = shape(x)?;
        let images = of_images[1];
        let windows = window.planar(&of_images[2..], output)?;
        let dtype = step.dtype;
        if self.elsewhere.contains(&patches) {
            return None;
        }
        let users = self.users.get(&patches)?.clone();
        let found: Vec<(usize, Direct, [usize; 2])> = users
            .iter()
            .map(|&user| {
                let step = &self.steps[user];
                let (Work::One(Primitive::MatMul(product)) | Work::Turned(product)) = &step.work
                else {
                    return None;
                };
                let [other, second] = step.inputs[..] else {
                    return None;
                };
                let is_with_patches = second == patches && other != patches;
                let direct = match (product.transpose_a, product.transpose_b) {
                    (false, false) => Direct::Forward { images },
                    (false, true) => Direct::Weights { images },
                    _ => return None,
                };
                let &[channels, _] = &step.shape[..] else {
                    return None;
                };
                let is_direct = is_with_patches && is_direct(dtype, &windows, channels);
                is_direct.then_some((user, direct, [other, x]))
            })
            .collect::<Option<_>>()?;
        for (user, direct, inputs) in found {
            self.steps[user].become_direct(direct, windows, inputs.to_vec());
        }
        self.gone.insert(index);
        Some(())
    }

    /// Takes the outputs in the place of the patches that are summed, if these are products with
    /// transposed weights, or sums of such.
    fn of_sum_of_patches<'g>(
        &mut self,
        index: usize,
        shape: &impl Fn(usize) -> Option<&'g [usize]>,
    ) -> Option<()> {
        let step = &self.steps[index];
        let Work::One(Primitive::Patches(Patches::Add { window, output })) = &step.work else {
            return None;
        };
        let windows = window.planar(&step.shape[2..], output)?;
        let dtype = step.dtype;
        let mut terms = Vec::new();
        let mut gone = Vec::new();
        self.terms_of(step.inputs[0], &mut terms, &mut gone)?;
        let &[channels, _] = shape(*terms.first()?)? else {
            return None;
        };
        if !is_direct(dtype, &windows, channels) {
            return None;
        }
        self.steps[index].become_direct(Direct::Back, windows, terms);
        self.gone.extend(gone);
        Some(())
    }

    /// Collects the factors of the products that a value is the sum of, and the steps that make it.
    fn terms_of(&self, value: usize, terms: &mut Vec<usize>, gone: &mut Vec<usize>) -> Option<()> {
        let &maker = self.makers.get(&value)?;
        let step = &self.steps[maker];
        if self.elsewhere.contains(&value) || self.users.get(&value)?.len() != 1 {
            return None;
        }
        gone.push(maker);
        match &step.work {
            Work::One(Primitive::MatMul(MatMul {
                transpose_a: true,
                transpose_b: false,
            })) if step.shape.len() == 2 => {
                terms.extend_from_slice(&step.inputs);
                Some(())
            }
            Work::One(Primitive::Binary(Binary::Add)) => {
                for &input in &step.inputs {
                    let &maker = self.makers.get(&input)?;
                    if self.steps[maker].shape != step.shape {
                        return None;
                    }
                    self.terms_of(input, terms, gone)?;
                }
                Some(())
            }
            _ => None,
        }
    }

    /// Makes the sum of two convolutions one step.
    fn join_terms(&mut self, index: usize) -> Option<()> {
        let step = &self.steps[index];
        if !matches!(&step.work, Work::One(Primitive::Binary(Binary::Add))) {
            return None;
        }
        let mut terms = Vec::new();
        let mut gone = Vec::new();
        let mut found = None;
        for &input in &step.inputs {
            let &maker = self.makers.get(&input)?;
            let term = &self.steps[maker];
            let Work::Direct(direct @ Direct::Forward { .. }, windows) = &term.work else {
                return None;
            };
            let is_alone = !self.elsewhere.contains(&input) && self.users[&input].len() == 1;
            let is_like = found.is_none_or(|other| other == (*direct, *windows));
            if !is_alone || !is_like || term.shape != step.shape {
                return None;
            }
            found = Some((*direct, *windows));
            terms.extend_from_slice(&term.inputs);
            gone.push(maker);
        }
        let (direct, windows) = found?;
        self.steps[index].become_direct(direct, windows, terms);
        self.gone.extend(gone);
        Some(())
    }
}

/// Returns whether a convolution of this type to so many channels is done without patches.
fn is_direct(dtype: DType, windows: &Windows, channels: usize) -> bool {
    matches!(dtype, DType::F32 | DType::F64) && windows.are_direct(channels)
}
