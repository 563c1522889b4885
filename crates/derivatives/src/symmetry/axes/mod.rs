//! Axes as products of factors that are permuted, and the bindings between them.

use super::AxisStructure;

/// A factor of an axis: a permutation of so many entries that is not known yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Factor(usize);

/// An axis: the row-major product of its factors, the outermost first. An axis of length 1 has
/// none.
pub(super) type Axis = Vec<Factor>;

/// The permutations that a factor may stand for, as far as they are known.
#[derive(Debug, Clone)]
enum Binding {
    /// Nothing: any permutation.
    Free,
    /// The identity.
    Fixed,
    /// The product of these.
    Product(Axis),
    /// These one after the other, two or more.
    Sum(Vec<Axis>),
}

/// The factors of all axes. Whatever is asked of them only makes the set of permutations smaller.
#[derive(Debug, Default)]
pub(super) struct Factors {
    lens: Vec<usize>,
    bindings: Vec<Binding>,
}

impl Factors {
    fn add(&mut self, len: usize, binding: Binding) -> Factor {
        self.lens.push(len);
        self.bindings.push(binding);
        Factor(self.lens.len() - 1)
    }

    /// Returns an axis that may be permuted in any way.
    pub(super) fn free(&mut self, len: usize) -> Axis {
        (len > 1)
            .then(|| self.add(len, Binding::Free))
            .into_iter()
            .collect()
    }

    /// Returns an axis that stays as it is.
    pub(super) fn fixed(&mut self, len: usize) -> Axis {
        (len > 1)
            .then(|| self.add(len, Binding::Fixed))
            .into_iter()
            .collect()
    }

    /// Returns the axis made of these parts, one after the other.
    pub(super) fn sum(&mut self, mut parts: Vec<Axis>) -> Axis {
        if parts.len() == 1 {
            return parts.remove(0);
        }
        let len = parts.iter().map(|part| self.len(part)).sum();
        vec![self.add(len, Binding::Sum(parts))]
    }

    /// Returns the number of entries of an axis.
    pub(super) fn len(&self, axis: &[Factor]) -> usize {
        axis.iter().map(|factor| self.lens[factor.0]).product()
    }

    /// Returns an axis as factors that are no products, neighbouring fixed ones as one.
    fn normal(&mut self, axis: &[Factor]) -> Axis {
        let mut flat = Vec::new();
        self.expand(axis, &mut flat);
        let mut normal: Axis = Vec::with_capacity(flat.len());
        for factor in flat {
            if let Some(&last) = normal.last()
                && self.is_fixed(last)
                && self.is_fixed(factor)
            {
                normal.pop();
                let len = self.lens[last.0] * self.lens[factor.0];
                normal.push(self.add(len, Binding::Fixed));
            } else {
                normal.push(factor);
            }
        }
        normal
    }

    fn expand(&self, axis: &[Factor], into: &mut Axis) {
        for &factor in axis {
            match &self.bindings[factor.0] {
                Binding::Product(factors) => self.expand(factors, into),
                _ => into.push(factor),
            }
        }
    }

    fn is_fixed(&self, factor: Factor) -> bool {
        matches!(self.bindings[factor.0], Binding::Fixed)
    }

    /// Says that an axis stays as it is.
    pub(super) fn fix(&mut self, axis: &[Factor]) {
        for &factor in axis {
            match self.bindings[factor.0].clone() {
                Binding::Free => self.bindings[factor.0] = Binding::Fixed,
                Binding::Fixed => {}
                Binding::Product(factors) => self.fix(&factors),
                Binding::Sum(parts) => {
                    for part in parts {
                        self.fix(&part);
                    }
                }
            }
        }
    }

    /// Says that two axes of one length are permuted alike.
    pub(super) fn join(&mut self, a: &[Factor], b: &[Factor]) {
        let (mut a, mut b) = (self.normal(a), self.normal(b));
        a.reverse();
        b.reverse();
        while let (Some(x), Some(y)) = (a.pop(), b.pop()) {
            let (len_x, len_y) = (self.lens[x.0], self.lens[y.0]);
            let same = match len_x.cmp(&len_y) {
                std::cmp::Ordering::Equal => {
                    self.join_factors(x, y);
                    true
                }
                std::cmp::Ordering::Greater => {
                    self.split(x, len_y).is_some_and(|(outer, inner)| {
                        self.join(&outer, &[y]);
                        a.extend(inner.into_iter().rev());
                        true
                    })
                }
                std::cmp::Ordering::Less => self.split(y, len_x).is_some_and(|(outer, inner)| {
                    self.join(&outer, &[x]);
                    b.extend(inner.into_iter().rev());
                    true
                }),
            };
            if !same {
                self.fix(&[x, y]);
                self.fix(&a);
                self.fix(&b);
                return;
            }
        }
    }

    /// Joins two factors of one length that are no products.
    fn join_factors(&mut self, x: Factor, y: Factor) {
        // What was joined before may have bound them meanwhile.
        let bindings = (self.bindings[x.0].clone(), self.bindings[y.0].clone());
        match bindings {
            _ if x == y => {}
            (Binding::Product(factors), _) => self.join(&factors, &[y]),
            (_, Binding::Product(factors)) => self.join(&[x], &factors),
            (Binding::Fixed, _) => self.fix(&[y]),
            (_, Binding::Fixed) => self.fix(&[x]),
            // A sum is longer than its parts, so that x is not inside of y.
            (Binding::Free, _) => self.bindings[x.0] = Binding::Product(vec![y]),
            (_, Binding::Free) => self.bindings[y.0] = Binding::Product(vec![x]),
            (Binding::Sum(first), Binding::Sum(second)) => {
                self.bindings[x.0] = Binding::Product(vec![y]);
                self.join_parts(first, second);
            }
        }
    }

    fn join_parts(&mut self, mut a: Vec<Axis>, mut b: Vec<Axis>) {
        a.reverse();
        b.reverse();
        while let (Some(x), Some(y)) = (a.pop(), b.pop()) {
            let (len_x, len_y) = (self.len(&x), self.len(&y));
            match len_x.cmp(&len_y) {
                std::cmp::Ordering::Equal => self.join(&x, &y),
                std::cmp::Ordering::Greater => {
                    let (first, rest) = self.cut(&x, len_y);
                    self.join(&first, &y);
                    a.push(rest);
                }
                std::cmp::Ordering::Less => {
                    let (first, rest) = self.cut(&y, len_x);
                    self.join(&x, &first);
                    b.push(rest);
                }
            }
        }
    }

    /// Writes a factor as a product of `outer` blocks; `None`, where that is not possible.
    fn split(&mut self, factor: Factor, outer: usize) -> Option<(Axis, Axis)> {
        let len = self.lens[factor.0];
        if outer == 0 || !len.is_multiple_of(outer) {
            return None;
        }
        let inner = len / outer;
        let (first, second) = match self.bindings[factor.0].clone() {
            Binding::Free => (self.free(outer), self.free(inner)),
            Binding::Fixed => (self.fixed(outer), self.fixed(inner)),
            Binding::Product(factors) => return self.split_axis(&factors, outer),
            Binding::Sum(parts) => {
                let mut blocks = Vec::with_capacity(parts.len());
                let mut entries: Option<Axis> = None;
                for part in parts {
                    let len = self.len(&part);
                    if !len.is_multiple_of(inner) {
                        return None;
                    }
                    let (block, entry) = self.split_axis(&part, len / inner)?;
                    match &entries {
                        Some(first) => self.join(&first.clone(), &entry),
                        None => entries = Some(entry),
                    }
                    blocks.push(block);
                }
                (self.sum(blocks), entries?)
            }
        };
        let product = first.iter().chain(&second).copied().collect();
        self.bindings[factor.0] = Binding::Product(product);
        Some((first, second))
    }

    /// Writes an axis as a product of `outer` blocks; `None`, where that is not possible.
    pub(super) fn split_axis(&mut self, axis: &[Factor], outer: usize) -> Option<(Axis, Axis)> {
        let mut rest = self.normal(axis);
        rest.reverse();
        let mut need = outer;
        let mut first = Vec::new();
        while need > 1 {
            let factor = rest.pop()?;
            let len = self.lens[factor.0];
            if need.is_multiple_of(len) {
                first.push(factor);
                need /= len;
            } else {
                let (blocks, entries) = self.split(factor, need)?;
                first.extend(blocks);
                rest.extend(entries.into_iter().rev());
                need = 1;
            }
        }
        rest.reverse();
        Some((first, rest))
    }

    /// Cuts an axis into its first `at` entries and the others, both at least one.
    pub(super) fn cut(&mut self, axis: &[Factor], at: usize) -> (Axis, Axis) {
        let normal = self.normal(axis);
        let len = self.len(&normal);
        let (&first, inner) = normal.split_first().expect("two entries need a factor");
        let below = self.len(inner);
        if !at.is_multiple_of(below) {
            self.fix(axis);
            return (self.fixed(at), self.fixed(len - at));
        }
        let (a, b) = self.cut_factor(first, at / below);
        let with_inner = |mut part: Axis| {
            part.extend_from_slice(inner);
            part
        };
        (with_inner(a), with_inner(b))
    }

    fn cut_factor(&mut self, factor: Factor, at: usize) -> (Axis, Axis) {
        let len = self.lens[factor.0];
        match self.bindings[factor.0].clone() {
            Binding::Fixed => (self.fixed(at), self.fixed(len - at)),
            Binding::Free => {
                let (a, b) = (self.free(at), self.free(len - at));
                self.bindings[factor.0] = Binding::Sum(vec![a.clone(), b.clone()]);
                (a, b)
            }
            Binding::Product(factors) => self.cut(&factors, at),
            Binding::Sum(parts) => {
                let (mut before, mut after) = (Vec::new(), Vec::new());
                let mut start = 0;
                for part in parts {
                    let end = start + self.len(&part);
                    if end <= at {
                        before.push(part);
                    } else if start >= at {
                        after.push(part);
                    } else {
                        let (a, b) = self.cut(&part, at - start);
                        before.push(a);
                        after.push(b);
                    }
                    start = end;
                }
                let all = before.iter().chain(&after).cloned().collect();
                self.bindings[factor.0] = Binding::Sum(all);
                (self.sum(before), self.sum(after))
            }
        }
    }

    /// Returns the structure of an axis of so many entries, with the free factors as groups: those
    /// found before, and new ones.
    pub(super) fn structure(
        &self,
        axis: &[Factor],
        groups: &mut Vec<(Factor, usize)>,
    ) -> AxisStructure {
        let mut normal = Vec::new();
        self.expand(axis, &mut normal);
        let mut factors: Vec<AxisStructure> = normal
            .into_iter()
            .map(|factor| {
                let len = self.lens[factor.0];
                match &self.bindings[factor.0] {
                    Binding::Free => {
                        let known = groups.iter().position(|&(known, _)| known == factor);
                        let group = known.unwrap_or_else(|| {
                            groups.push((factor, len));
                            groups.len() - 1
                        });
                        AxisStructure::Group { group, len }
                    }
                    Binding::Sum(parts) => {
                        let parts = parts.iter().map(|part| self.structure(part, groups));
                        simplified(AxisStructure::Sum(parts.collect()))
                    }
                    Binding::Fixed | Binding::Product(_) => AxisStructure::Fixed(len),
                }
            })
            .collect();
        match factors.len() {
            0 => AxisStructure::Fixed(1),
            1 => factors.remove(0),
            _ => simplified(AxisStructure::Product(factors)),
        }
    }
}

/// Returns a structure in which nothing moves as one that says so.
fn simplified(structure: AxisStructure) -> AxisStructure {
    if structure.groups().is_empty() {
        AxisStructure::Fixed(structure.entries())
    } else {
        structure
    }
}

#[cfg(test)]
mod tests;
