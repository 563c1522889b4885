//! A chain of entrywise operations in one pass over memory, or the sum of its entries, for `flex`.

use burn::tensor::DType;
use burn_dispatch::DispatchTensor;
use burn_flex::FlexTensor;

use crate::chain::{Chain, Entrywise, Link, Repeat};
use crate::elementary::Elementary;
use crate::real::{Real, float, in_a_row, of_flex, on_flex};
use crate::sum::sum_of;
use crate::vectorised;

/// Entries that are worked on at a time: all values of a chain for so many stay in the innermost
/// cache.
const BLOCK: usize = 512;

/// Returns the value of `chain`, of this shape and type; the inputs are given up, so that one of
/// them may be written over.
#[must_use]
pub fn chain(
    chain: &Chain,
    inputs: Vec<DispatchTensor>,
    shape: &[usize],
    dtype: DType,
) -> Option<DispatchTensor> {
    let inputs = owned(inputs)?;
    match dtype {
        DType::F32 => value::<f32>(chain, inputs, shape),
        DType::F64 => value::<f64>(chain, inputs, shape),
        _ => None,
    }
}

fn owned(inputs: Vec<DispatchTensor>) -> Option<Vec<FlexTensor>> {
    let inputs = inputs.into_iter();
    inputs.map(|input| on_flex(input).map(in_a_row)).collect()
}

fn value<E: Real>(
    chain: &Chain,
    mut inputs: Vec<FlexTensor>,
    shape: &[usize],
) -> Option<DispatchTensor> {
    let total = shape.iter().product();
    let whole = Repeat { run: 1, len: total };
    let free = |(input, repeat): (&FlexTensor, &Repeat)| {
        *repeat == whole && input.is_unique() && input.bytes().len() == total * size_of::<E>()
    };
    let free = inputs.iter().zip(&chain.inputs).position(free);
    let mut target = free.map(|at| inputs.remove(at));
    let mut rest = inputs.iter();
    let mut sources = Vec::with_capacity(chain.inputs.len());
    for (at, &repeat) in chain.inputs.iter().enumerate() {
        sources.push(if Some(at) == free {
            Source::Target
        } else {
            Source::of(rest.next()?, repeat, whole)?
        });
    }
    let mut machine = Machine::new(&chain.links, sources);
    match &mut target {
        Some(target) => {
            let entries = E::storage(target)?;
            vectorised(
                #[inline(always)]
                || {
                    for (index, block) in entries.chunks_mut(BLOCK).enumerate() {
                        machine.run(index * BLOCK, block.len(), block);
                        block.copy_from_slice(machine.result(block.len()));
                    }
                },
            );
        }
        None => {
            // Not filled with zeros first: that would be another pass.
            let mut values = Vec::with_capacity(total);
            machine.each_block(
                total,
                #[inline(always)]
                |block| values.extend_from_slice(block),
            );
            return Some(float(values, shape));
        }
    }
    Some(of_flex(target?.reshape(shape.to_vec().into())))
}

/// Returns the sum of all entries of the value of `chain`, which has the shape `of` and is not
/// written down, as a tensor of `shape`, which has one entry, and this type.
#[must_use]
pub fn chain_sum(
    chain: &Chain,
    inputs: Vec<DispatchTensor>,
    of: &[usize],
    shape: &[usize],
    dtype: DType,
) -> Option<DispatchTensor> {
    let inputs = owned(inputs)?;
    let total = of.iter().product();
    match dtype {
        DType::F32 => sum::<f32>(chain, &inputs, total, shape),
        DType::F64 => sum::<f64>(chain, &inputs, total, shape),
        _ => None,
    }
}

fn sum<E: Real>(
    chain: &Chain,
    inputs: &[FlexTensor],
    total: usize,
    shape: &[usize],
) -> Option<DispatchTensor> {
    let whole = Repeat { run: 1, len: total };
    let sources = inputs.iter().zip(&chain.inputs);
    let sources = sources.map(|(input, &repeat)| Source::<E>::of(input, repeat, whole));
    let mut machine = Machine::new(&chain.links, sources.collect::<Option<_>>()?);
    let mut sum = 0.0;
    machine.each_block(
        total,
        #[inline(always)]
        |block| sum += sum_of(block),
    );
    Some(float(vec![E::of(sum)], shape))
}

/// The entries of an input.
enum Source<'a, E> {
    Whole(&'a [E]),
    Repeated(&'a [E], Repeat),
    /// In the tensor that is written over.
    Target,
}

impl<'a, E: Real> Source<'a, E> {
    fn of(input: &'a FlexTensor, repeat: Repeat, whole: Repeat) -> Option<Self> {
        let entries = E::entries(input)?;
        Some(if repeat == whole {
            Self::Whole(entries)
        } else {
            Self::Repeated(entries, repeat)
        })
    }
}

/// The registers that a chain computes with: one for each input and each link.
struct Machine<'a, E> {
    links: &'a [Link],
    sources: Vec<Source<'a, E>>,
    registers: Vec<E>,
}

impl<'a, E: Real> Machine<'a, E> {
    fn new(links: &'a [Link], sources: Vec<Source<'a, E>>) -> Self {
        Self {
            registers: vec![E::default(); (sources.len() + links.len()) * BLOCK],
            links,
            sources,
        }
    }

    /// Computes `total` entries, and gives them away a block at a time.
    fn each_block(&mut self, total: usize, mut take: impl FnMut(&[E])) {
        vectorised(
            #[inline(always)]
            || {
                for start in (0..total).step_by(BLOCK) {
                    let len = BLOCK.min(total - start);
                    self.run(start, len, &[]);
                    take(self.result(len));
                }
            },
        );
    }

    /// Computes `len` entries from `start` on; `target` is what is written over there.
    #[inline(always)]
    fn run(&mut self, start: usize, len: usize, target: &[E]) {
        for (source, register) in self.sources.iter().zip(self.registers.chunks_mut(BLOCK)) {
            if let Source::Repeated(entries, repeat) = source {
                repeated(entries, *repeat, start, &mut register[..len]);
            }
        }
        let count = self.sources.len();
        for (number, link) in self.links.iter().enumerate() {
            let (known, free) = self.registers.split_at_mut((count + number) * BLOCK);
            let argument = |at: usize| match self.sources.get(link.arguments[at]) {
                Some(Source::Whole(entries)) => &entries[start..start + len],
                Some(Source::Target) => target,
                _ => &known[link.arguments[at] * BLOCK..][..len],
            };
            apply(link.operation, argument, &mut free[..len]);
        }
    }

    #[inline(always)]
    fn result(&self, len: usize) -> &[E] {
        &self.registers[(self.sources.len() + self.links.len() - 1) * BLOCK..][..len]
    }
}

#[inline(always)]
fn repeated<E: Real>(entries: &[E], repeat: Repeat, start: usize, out: &mut [E]) {
    let Repeat { run, len } = repeat;
    // Around the entries for ever, from the one at `start` on.
    let mut entry = start / run % len;
    if run == 1 {
        // Once around, and then what is there already again and again, doubled each time.
        let mut filled = (len - entry).min(out.len());
        out[..filled].copy_from_slice(&entries[entry..entry + filled]);
        let rest = (out.len() - filled).min(entry);
        out[filled..filled + rest].copy_from_slice(&entries[..rest]);
        filled += rest;
        while filled < out.len() {
            let count = filled.min(out.len() - filled);
            out.copy_within(..count, filled);
            filled += count;
        }
        return;
    }
    let begun = (run - start % run).min(out.len());
    let (now, rest) = out.split_at_mut(begun);
    now.fill(entries[entry]);
    for now in rest.chunks_mut(run) {
        entry = if entry + 1 == len { 0 } else { entry + 1 };
        now.fill(entries[entry]);
    }
}

/// Applies one operation, with the same arithmetic as Burn's, entry for entry; in f32 without the
/// elementary functions, which Burn takes one at a time.
#[inline(always)]
fn apply<'a, E: Real>(operation: Entrywise, argument: impl Fn(usize) -> &'a [E], out: &mut [E]) {
    match operation {
        Entrywise::Scale(c) => {
            let c = E::of(c);
            map(argument(0), out, |x| x * c);
        }
        Entrywise::Offset(c) => {
            let c = E::of(c);
            map(argument(0), out, |x| x + c);
        }
        Entrywise::Recip => map(argument(0), out, |x| E::of(1.0) / x),
        // What is no number stays so.
        Entrywise::Relu => map(argument(0), out, |x| {
            if x.is_nan() || x > E::default() {
                x
            } else {
                E::default()
            }
        }),
        Entrywise::Step => map(argument(0), out, |x| {
            if x > E::default() {
                E::of(1.0)
            } else {
                E::default()
            }
        }),
        Entrywise::Exp => E::elementary(Elementary::Exp, argument(0), out),
        Entrywise::Tanh => E::elementary(Elementary::Tanh, argument(0), out),
        Entrywise::Sigmoid => E::elementary(Elementary::Sigmoid, argument(0), out),
        Entrywise::Erf => E::elementary(Elementary::Erf, argument(0), out),
        Entrywise::Add => zip(argument(0), argument(1), out, |x, y| x + y),
        Entrywise::Sub => zip(argument(0), argument(1), out, |x, y| x - y),
        Entrywise::Mul => zip(argument(0), argument(1), out, |x, y| x * y),
    }
}

#[inline(always)]
fn map<E: Real>(x: &[E], out: &mut [E], f: impl Fn(E) -> E) {
    for (out, &x) in out.iter_mut().zip(x) {
        *out = f(x);
    }
}

#[inline(always)]
fn zip<E: Real>(x: &[E], y: &[E], out: &mut [E], f: impl Fn(E, E) -> E) {
    for ((out, &x), &y) in out.iter_mut().zip(x).zip(y) {
        *out = f(x, y);
    }
}
