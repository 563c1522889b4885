//! `landscape report`: one page about runs, wherever they are and however far they came.

use std::fs;

use crate::program::Workplace;

#[test]
fn a_report_stands_in_the_run_and_says_where_it_is() {
    let place = Workplace::new();
    place.landscape(&["run", "one"]).expect(0, &[]);
    let ended = place.landscape(&["report", "one"]).expect(0, &[]);
    let path = place.path("runs/one/report.html");
    let html = fs::read_to_string(&path).unwrap();
    assert!(html.contains("loss/train") || html.contains("Training loss"));
    let said = ended.out.replace('\n', " ");
    assert!(said.contains("The report about one run is"), "{said}");
    assert!(
        said.contains("report.html") && said.contains("file://"),
        "{said}"
    );

    // Over its own page, and not over another file.
    place.landscape(&["report", "one"]).expect(0, &[]);
    let other = place.path("mine.html");
    fs::write(&other, "<p>mine</p>").unwrap();
    let refused = place.landscape(&["report", "one", "--output", "mine.html"]);
    refused.expect(2, &["mine.html", "is no report", "--output"]);
    assert_eq!(fs::read_to_string(&other).unwrap(), "<p>mine</p>");

    // The page in its folder is no part of the run, which is compared as before.
    place.landscape(&["compare", "one"]).expect(0, &[]);
}

#[test]
fn several_runs_are_one_page_beside_them() {
    let place = Workplace::new();
    place.landscape(&["run", "pair"]).expect(0, &[]);
    let ended = place
        .landscape(&["report", "pair", "--json"])
        .expect(0, &[])
        .json();
    assert_eq!(ended["runs"].as_array().unwrap().len(), 2);
    let html = fs::read_to_string(place.path("runs/pair/report.html")).unwrap();
    assert_eq!(html.len() as u64, ended["bytes"].as_u64().unwrap());
    assert!(html.contains("2 runs"));
}

#[test]
fn a_folder_without_a_run_is_one_sentence_and_leaves_nothing() {
    let place = Workplace::new();
    fs::create_dir(place.path("empty")).unwrap();
    let ended = place
        .landscape(&["report", "empty"])
        .expect(2, &["empty holds no run"]);
    assert_eq!(ended.err.lines().count(), 1, "{}", ended.err);
    assert_eq!(fs::read_dir(place.path("empty")).unwrap().count(), 0);
    let ended = place
        .landscape(&["report", "pear"])
        .expect(2, &["there is no run pear"]);
    assert_eq!(ended.err.lines().count(), 1, "{}", ended.err);
    let ended = place.landscape(&["report", "empty", "--output", "no/where.html"]);
    ended.expect(2, &[]);
    assert!(!place.path("no").exists());
}

#[test]
fn runs_of_a_library_user_have_a_report_too() {
    let place = Workplace::new();
    let run = place.path("theirs/first");
    fs::create_dir_all(&run).unwrap();
    let lines = "{\"step\":1,\"tag\":\"loss/train\",\"scalar\":0.5}\n{\"step\":2,\"tag\":\"loss/train\",\"scalar\":0.25}\n{\"st";
    fs::write(run.join("run.jsonl"), lines).unwrap();
    let ended = place.landscape(&["report", "theirs"]).expect(0, &[]);
    assert!(
        ended.out.contains("Not everything could be read"),
        "{}",
        ended.out
    );
    let html = fs::read_to_string(run.join("report.html")).unwrap();
    assert!(html.contains("1 of 3 lines of run.jsonl are no records"));
}
