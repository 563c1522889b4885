//! Chains of entrywise operations as one, which makes one pass over memory.
//!
//! Each operation alone reads and writes whole tensors, and for those the cache is too small long
//! before the arithmetic counts.

/// Most inputs and operations of a chain: more do not fit the innermost cache together.
const MOST: usize = 16;

/// An entrywise operation for which there is a kernel.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Entrywise {
    /// `x · c`
    Scale(f64),
    /// `x + c`
    Offset(f64),
    /// `1 / x`
    Recip,
    /// `max(x, 0)`; NaN stays NaN.
    Relu,
    /// 1 where `x > 0`, and 0 elsewhere.
    Step,
    /// `exp(x)`
    Exp,
    /// `tanh(x)`
    Tanh,
    /// `1 / (1 + exp(−x))`
    Sigmoid,
    /// `erf(x)`
    Erf,
    /// `x + y`
    Add,
    /// `x − y`
    Sub,
    /// `x · y`
    Mul,
}

/// The way from entry `i` of a result to its entry of an input whose axes of length 1 are repeated:
/// to the one at `i / run % len`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Repeat {
    /// Neighbouring entries of the result that have one entry of the input.
    pub run: usize,
    /// Entries of the input.
    pub len: usize,
}

impl Repeat {
    /// Returns how an input of this shape is repeated; `None` where the axes that are not repeated
    /// do not stand together.
    #[must_use]
    pub fn of(input: &[usize], shape: &[usize]) -> Option<Self> {
        let kept = |axis: &usize| input[*axis] == shape[*axis] && shape[*axis] != 1;
        let axes: Vec<usize> = (0..shape.len()).filter(kept).collect();
        let (Some(&first), Some(&last)) = (axes.first(), axes.last()) else {
            return Some(Self { run: 1, len: 1 });
        };
        let together = (first..=last).all(|axis| input[axis] == shape[axis]);
        together.then(|| Self {
            run: shape[last + 1..].iter().product(),
            len: shape[first..=last].iter().product(),
        })
    }
}

/// An operation on earlier values: first come the inputs of the chain, then its results.
#[derive(Debug, Clone)]
pub struct Link {
    /// The operation.
    pub operation: Entrywise,
    /// Numbers of the values it is applied to.
    pub arguments: Vec<usize>,
}

impl Link {
    fn moved(&self, to: impl Fn(usize) -> usize) -> Self {
        let arguments = self.arguments.iter();
        Self {
            operation: self.operation,
            arguments: arguments.map(|&argument| to(argument)).collect(),
        }
    }
}

/// Several entrywise operations; the last result is the value.
#[derive(Debug, Clone, Default)]
pub struct Chain {
    /// The repetition of each input.
    pub inputs: Vec<Repeat>,
    /// The operations, in order.
    pub links: Vec<Link>,
}

impl Chain {
    /// Returns one operation on `inputs`, which have a name and a shape each, as a chain, and the
    /// names of the chain's inputs, each once; `None` if an input is repeated as no kernel reads
    /// it.
    #[must_use]
    pub fn of(
        operation: Entrywise,
        inputs: &[(usize, &[usize])],
        shape: &[usize],
    ) -> Option<(Self, Vec<usize>)> {
        let mut chain = Self::default();
        let mut names: Vec<usize> = Vec::new();
        let mut arguments = Vec::with_capacity(inputs.len());
        for (name, input) in inputs {
            let known = names.iter().position(|known| known == name);
            arguments.push(known.unwrap_or(names.len()));
            if known.is_none() {
                names.push(*name);
                chain.inputs.push(Repeat::of(input, shape)?);
            }
        }
        chain.links.push(Link {
            operation,
            arguments,
        });
        Some((chain, names))
    }

    /// Returns this chain with its input `at` computed by `inner`, and the names of its inputs, if
    /// that is not too long. `names` are the inputs of this one and `inner_names` those of the
    /// other; equal names are one input.
    ///
    /// # Panics
    /// If a chain has more inputs than it is given names.
    #[must_use]
    pub fn absorb(
        &self,
        names: &[usize],
        at: usize,
        inner: &Self,
        inner_names: &[usize],
    ) -> Option<(Self, Vec<usize>)> {
        let mut all: Vec<usize> = Vec::new();
        let mut chain = Self::default();
        let kept = names.iter().zip(&self.inputs).enumerate();
        let kept = kept
            .filter(|(place, _)| *place != at)
            .map(|(_, input)| input);
        for (&name, &repeat) in kept.chain(inner_names.iter().zip(&inner.inputs)) {
            if !all.contains(&name) {
                all.push(name);
                chain.inputs.push(repeat);
            }
        }
        let count = all.len();
        if count + inner.links.len() + self.links.len() > MOST {
            return None;
        }
        let place = |name: usize| {
            let place = all.iter().position(|&known| known == name);
            place.expect("`all` has the inputs of both chains, but for the one that is computed")
        };
        for link in &inner.links {
            chain.links.push(link.moved(
                |argument| match argument.checked_sub(inner_names.len()) {
                    Some(link) => count + link,
                    None => place(inner_names[argument]),
                },
            ));
        }
        let computed = count + inner.links.len() - 1;
        for link in &self.links {
            chain.links.push(
                link.moved(|argument| match argument.checked_sub(names.len()) {
                    Some(link) => computed + 1 + link,
                    None if argument == at => computed,
                    None => place(names[argument]),
                }),
            );
        }
        Some((chain, all))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHAPE: [usize; 3] = [5, 7, 31];

    #[test]
    fn axes_that_stand_apart_are_not_repeated_by_a_kernel() {
        assert_eq!(Repeat::of(&[5, 1, 31], &SHAPE), None);
        assert_eq!(
            Repeat::of(&[1, 7, 1], &SHAPE),
            Some(Repeat { run: 31, len: 7 })
        );
        assert_eq!(
            Repeat::of(&[1, 1, 1], &SHAPE),
            Some(Repeat { run: 1, len: 1 })
        );
    }
}
