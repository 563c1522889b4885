//! Tails of eigenvalues and of random numbers beside the Python package `powerlaw`.

use landscape::weights::power_law;
use serde_json::Value;

fn number(value: &Value) -> f64 {
    value.as_f64().expect("a number")
}

#[test]
fn power_law_tails_agree_with_the_package_powerlaw_to_1e_12() {
    let golden: Value =
        serde_json::from_str(include_str!("../fixtures/power_law.json")).expect("valid JSON");
    let sets = golden["sets"].as_array().expect("a list");
    assert_eq!(sets.len(), 7);
    for set in sets {
        let values = set["values"].as_array().expect("a list").iter();
        let values: Vec<f64> = values.map(number).collect();
        let law = power_law(&values)
            .expect("finite numbers")
            .expect("enough numbers");
        let pairs = [
            (law.alpha, &set["alpha"]),
            (law.standard_error, &set["sigma"]),
            (law.distance, &set["D"]),
        ];
        // Sums of up to 300 logarithms.
        let errors = pairs.map(|(ours, theirs)| (ours / number(theirs) - 1.0).abs());
        println!("{:18} {errors:.1e?}", set["name"].as_str().expect("a name"));
        assert!(errors.iter().all(|error| *error < 1e-12), "{set}");
        assert_eq!(law.x_min, number(&set["xmin"]));
        assert_eq!(Some(law.tail as u64), set["tail"].as_u64());
    }
}
