//! Connectionist temporal classification (Graves, Fernandez, Gomez, Schmidhuber 2006).
//!
//! The likelihood of a label sequence is a sum over all ways to spread it over the time steps, with
//! blanks between. With l' the labels and a blank before, between and after them,
//!
//! `αₜ(s) = (αₜ₋₁(s) + αₜ₋₁(s−1) + αₜ₋₁(s−2)) · pₜ(l′ₛ)`,
//!
//! the last term only where two different labels follow each other. Here in logarithms.

use burn::tensor::{DType, TensorData};
use burn_ir::CtcLossOpIr;

use super::{Lowered, Lowering};
use crate::graph::{NodeId, Real, index_of};
use crate::primitive::{BOOL, Comparison, Discrete, IntBinary, IntUnary, Range, Unary};

/// The logarithm of a probability of zero. It is finite, so that differences of two are not NaN,
/// and so far below every other that its exponential beside them is zero.
const IMPOSSIBLE: f64 = -1e30;

impl Lowering {
    /// Returns the negative log-likelihood of each sequence, `[N]`, from log-probabilities
    /// `[T, N, C]`.
    pub(super) fn ctc_loss(&mut self, op: &CtcLossOpIr) -> Lowered {
        let log_probs = self.get(&op.log_probs)?;
        let targets = self.get(&op.targets)?;
        let [steps, batch] = [0, 1].map(|axis| self.graph.shape(log_probs)[axis]);
        let labels = self.graph.shape(targets)[1];
        let states = 2 * labels + 1;
        let index = self.graph.dtype(targets);
        #[expect(clippy::cast_precision_loss, reason = "a class is far below 2^53")]
        let blank = self.filled(op.blank as f64, vec![batch, states], index);
        let sequence = if labels == 0 {
            blank
        } else {
            let odd = Range {
                start: 1,
                end: states,
                step: 2,
            };
            self.assign(blank, vec![Range::new(0, batch), odd], targets)
        };
        let skips = self.skips(sequence, op.blank);
        let emitted = self.emissions(log_probs, sequence);
        let input_lengths = self.column(&op.input_lengths)?;
        let target_lengths = self.column(&op.target_lengths)?;
        // States of the sequence itself, without its padding.
        let last = self.int_linear(target_lengths, 2, 0);
        let positions = self.counted(states, index);
        let within = self.graph.discrete(
            Discrete::Compare(Comparison::LowerEqual),
            vec![positions, last],
            BOOL,
        );
        let nowhere = self.filled(IMPOSSIBLE, vec![batch, states], self.graph.dtype(log_probs));
        let first = self.at_step(emitted, 0);
        let begin = vec![Range::new(0, batch), Range::new(0, states.min(2))];
        let first = self.graph.slice(first, begin.clone());
        let mut alpha = self.assign(nowhere, begin, first);
        for step in 1..steps {
            let emitted = self.at_step(emitted, step);
            let arrived = self.arrivals(alpha, skips);
            let next = self.graph.add(arrived, emitted);
            let bound = index_of(step);
            let running = self.graph.discrete(
                Discrete::CompareInt(Comparison::Greater, bound),
                vec![input_lengths],
                BOOL,
            );
            let moves = self
                .graph
                .discrete(Discrete::And, vec![running, within], BOOL);
            alpha = self.graph.replace_where(alpha, moves, next);
        }
        Ok(self.read_out(alpha, last))
    }

    /// Returns minus the logarithm of what arrived in the last blank or the last label.
    fn read_out(&mut self, alpha: NodeId, last: NodeId) -> NodeId {
        let batch = self.graph.shape(alpha)[0];
        let in_blank = self.graph.gather(alpha, 1, last);
        let label = self.int_linear(last, 1, -1);
        let least = Discrete::IntUnary(IntUnary::AtLeast(0));
        let label = self
            .graph
            .discrete(least, vec![label], self.graph.dtype(last));
        let in_label = self.graph.gather(alpha, 1, label);
        let empty =
            self.graph
                .discrete(Discrete::CompareInt(Comparison::Equal, 0), vec![last], BOOL);
        let impossible = self.graph.fill(IMPOSSIBLE, in_label);
        let in_label = self.graph.replace_where(in_label, empty, impossible);
        let both = self.graph.concat(vec![in_blank, in_label], 1);
        let both = self.graph.reshape(both, vec![batch, 1, 2]);
        let likelihood = self.log_sum(both);
        let likelihood = self.graph.reshape(likelihood, vec![batch]);
        let loss = self.graph.neg(likelihood);
        let far = Discrete::CompareFloat(Comparison::Greater, Real::new(-0.5 * IMPOSSIBLE));
        let far = self.graph.discrete(far, vec![loss], BOOL);
        let infinite = self.graph.fill(f64::INFINITY, loss);
        self.graph.replace_where(loss, far, infinite)
    }

    /// Returns lengths `[N]` as `[N, 1]`.
    fn column(&mut self, lengths: &burn_ir::TensorIr) -> Lowered {
        let lengths = self.get(lengths)?;
        let batch = self.graph.shape(lengths)[0];
        Ok(self.graph.reshape(lengths, vec![batch, 1]))
    }

    /// Returns `a x + b` of integers.
    fn int_linear(&mut self, x: NodeId, a: i64, b: i64) -> NodeId {
        let dtype = self.graph.dtype(x);
        let times = Discrete::IntScalar(IntBinary::Mul, a);
        let product = self.graph.discrete(times, vec![x], dtype);
        let plus = Discrete::IntScalar(IntBinary::Add, b);
        self.graph.discrete(plus, vec![product], dtype)
    }

    /// Returns 0, 1, .. as `[1, len]`.
    fn counted(&mut self, len: usize, dtype: DType) -> NodeId {
        let numbers: Vec<i64> = (0..index_of(len)).collect();
        self.graph
            .constant(TensorData::new(numbers, [1, len]).convert_dtype(dtype))
    }

    /// Returns where a state may be reached from the one before the last, `[N, S]`.
    fn skips(&mut self, sequence: NodeId, blank: usize) -> NodeId {
        let [batch, states] = [0, 1].map(|axis| self.graph.shape(sequence)[axis]);
        let start = states.min(2);
        let none = TensorData::new(vec![false; batch * start], [batch, start]);
        let none = self.graph.constant(none);
        if states == start {
            return none;
        }
        let later = self.graph.narrow(sequence, 1, 2, states);
        let earlier = self.graph.narrow(sequence, 1, 0, states - 2);
        let differ = Discrete::Compare(Comparison::NotEqual);
        let differ = self.graph.discrete(differ, vec![later, earlier], BOOL);
        let blank = index_of(blank);
        let label = Discrete::CompareInt(Comparison::NotEqual, blank);
        let label = self.graph.discrete(label, vec![later], BOOL);
        let may = self
            .graph
            .discrete(Discrete::And, vec![differ, label], BOOL);
        self.graph.concat(vec![none, may], 1)
    }

    /// Returns the log-probability of each state at each step, `[T, N, S]`.
    fn emissions(&mut self, log_probs: NodeId, sequence: NodeId) -> NodeId {
        let steps = self.graph.shape(log_probs)[0];
        let [batch, states] = [0, 1].map(|axis| self.graph.shape(sequence)[axis]);
        let sequence = self.graph.reshape(sequence, vec![1, batch, states]);
        let sequence = self.graph.expand(sequence, vec![steps, batch, states]);
        let emitted = self.graph.gather(log_probs, 2, sequence);
        self.bounded(emitted, Comparison::Lower, IMPOSSIBLE)
    }

    fn at_step(&mut self, emitted: NodeId, step: usize) -> NodeId {
        let shape = self.graph.shape(emitted)[1..].to_vec();
        let row = self.graph.narrow(emitted, 0, step, step + 1);
        self.graph.reshape(row, shape)
    }

    /// Returns the logarithm of the sum over the states from which each is reached.
    fn arrivals(&mut self, alpha: NodeId, skips: NodeId) -> NodeId {
        let shape = self.graph.shape(alpha).to_vec();
        let [one, two] = [1, 2].map(|by| self.shifted(alpha, by));
        let impossible = self.graph.fill(IMPOSSIBLE, alpha);
        let two = self.graph.replace_where(impossible, skips, two);
        let parts = [alpha, one, two]
            .map(|part| self.graph.reshape(part, vec![shape[0], shape[1], 1]))
            .to_vec();
        let stacked = self.graph.concat(parts, 2);
        let sum = self.log_sum(stacked);
        self.graph.reshape(sum, shape)
    }

    /// Returns each state's value moved on by some states.
    fn shifted(&mut self, alpha: NodeId, by: usize) -> NodeId {
        let (shape, dtype) = (self.graph.shape(alpha).to_vec(), self.graph.dtype(alpha));
        let (batch, states) = (shape[0], shape[1]);
        if states <= by {
            return self.filled(IMPOSSIBLE, shape, dtype);
        }
        let start = self.filled(IMPOSSIBLE, vec![batch, by], dtype);
        let rest = self.graph.narrow(alpha, 1, 0, states - by);
        self.graph.concat(vec![start, rest], 1)
    }

    /// Returns `log Σ exp(x)` along the last of three axes, shifted by the largest.
    fn log_sum(&mut self, x: NodeId) -> NodeId {
        let dtype = self.graph.dtype(x);
        let largest = self.graph.along(Discrete::MaxAlong(2), x, 2, 1, dtype);
        let shifted = self.graph.sub(x, largest);
        let exponentials = self.graph.unary(Unary::Exp, shifted);
        let sum = self.graph.sum_over(exponentials, &[2]);
        let logarithm = self.graph.unary(Unary::Log, sum);
        self.graph.add(logarithm, largest)
    }
}
