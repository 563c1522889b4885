//! Joining, splitting and cutting axes.

use super::AxisStructure::{Fixed, Group, Product, Sum};
use super::*;

fn shown(factors: &Factors, axes: &[&Axis]) -> Vec<AxisStructure> {
    let mut groups = Vec::new();
    let axes = axes.iter();
    axes.map(|axis| factors.structure(axis, &mut groups))
        .collect()
}

#[test]
fn an_axis_joined_to_a_product_is_one() {
    let mut factors = Factors::default();
    let rows = factors.free(12);
    let (channels, places) = (factors.free(3), factors.fixed(4));
    let flat: Axis = channels.iter().chain(&places).copied().collect();
    factors.join(&rows, &flat);
    let group = Group { group: 0, len: 3 };
    assert_eq!(
        shown(&factors, &[&rows, &channels]),
        [Product(vec![group.clone(), Fixed(4)]), group]
    );
}

#[test]
fn products_of_other_factors_are_split_where_they_meet() {
    let mut factors = Factors::default();
    let (six, two) = (factors.free(6), factors.free(2));
    let (three, four) = (factors.free(3), factors.free(4));
    let a: Axis = six.iter().chain(&two).copied().collect();
    let b: Axis = three.iter().chain(&four).copied().collect();
    factors.join(&a, &b);
    let group = |group, len| Group { group, len };
    assert_eq!(
        shown(&factors, &[&six, &three, &four, &two]),
        [
            Product(vec![group(0, 3), group(1, 2)]),
            group(0, 3),
            Product(vec![group(1, 2), group(2, 2)]),
            group(2, 2),
        ]
    );
    // Three blocks of four are no two blocks of six.
    let mut factors = Factors::default();
    let (a, b) = (factors.free(3), factors.free(2));
    let (c, d) = (factors.free(2), factors.free(3));
    let (ab, cd): (Axis, Axis) = (a.iter().chain(&b).copied().collect(), [c, d].concat());
    factors.join(&ab, &cd);
    assert_eq!(shown(&factors, &[&ab]), [Fixed(6)]);
}

#[test]
fn parts_that_overlap_are_cut_where_they_meet() {
    let mut factors = Factors::default();
    let (a, b, c) = (factors.free(2), factors.free(5), factors.free(4));
    let d = factors.free(3);
    let first = factors.sum(vec![a.clone(), b.clone()]);
    let second = factors.sum(vec![c.clone(), d.clone()]);
    factors.join(&first, &second);
    let group = |group, len| Group { group, len };
    let pair = Sum(vec![group(0, 2), group(1, 2)]);
    assert_eq!(
        shown(&factors, &[&c, &a, &b, &d]),
        [
            pair,
            group(0, 2),
            Sum(vec![group(1, 2), group(2, 3)]),
            group(2, 3),
        ]
    );
}

#[test]
fn a_sum_of_equal_blocks_is_a_product_with_entries_alike_in_all() {
    let mut factors = Factors::default();
    let (a, b) = (factors.free(4), factors.free(4));
    let both = factors.sum(vec![a.clone(), b.clone()]);
    let (blocks, entries) = factors.split_axis(&both, 2).expect("two blocks");
    let group = Group { group: 0, len: 4 };
    assert_eq!(
        shown(&factors, &[&a, &b, &entries, &blocks]),
        [group.clone(), group.clone(), group, Fixed(2)]
    );
}

#[test]
fn what_is_fixed_fixes_all_that_is_joined_to_it() {
    let mut factors = Factors::default();
    let (a, b, c) = (factors.free(6), factors.free(6), factors.free(6));
    factors.join(&a, &b);
    factors.join(&b, &c);
    let (first, _) = factors.cut(&c, 2);
    let data = factors.fixed(2);
    factors.join(&first, &data);
    let group = Group { group: 0, len: 4 };
    assert_eq!(shown(&factors, &[&a]), [Sum(vec![Fixed(2), group])]);
    factors.fix(&b);
    assert_eq!(shown(&factors, &[&a, &c]), [Fixed(6), Fixed(6)]);
}
