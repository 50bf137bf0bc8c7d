//! Definitions in files, and the words for what is wrong with them.

use serde_json::json;

use super::{Shell, sleeper};

#[test]
fn mistakes_in_a_definition_are_told_in_words() {
    let shell = Shell::start();
    for (fields, words) in [
        (json!({"helthChecks": []}), "/helthChecks: there is no such field; did you mean healthChecks?"),
        (
            json!({"healthChecks": [{"protocol": "HTPP"}]}),
            "/healthChecks(0)/protocol: \"HTPP\" is not known; did you mean \"HTTP\"?",
        ),
        (json!({"cpus": "much"}), "/cpus: expected a number, got \"much\""),
        (json!({"id": "/My_App"}), "/id: \"/My_App\" will not do: an id is names with slashes between them"),
    ] {
        let mut app = sleeper("/web", 1);
        app.as_object_mut().expect("an object").extend(fields.as_object().expect("an object").clone());
        let told = shell.complaint(&format!("app run {}", shell.file("web.json", &app)));
        assert!(told.contains(words) && !told.contains("Invalid JSON") && !told.contains("error."), "{told}");
    }
    let broken = shell.0.directory().join("broken.json");
    std::fs::write(&broken, "{\n  \"id\" \"/web\"\n}").expect("written");
    let told = shell.complaint(&format!("app run {}", broken.display()));
    assert!(
        told.contains("is not JSON: expected `:` at line 2 column 8\n  2 |   \"id\" \"/web\"\n    |        ^"),
        "{told}"
    );
}

#[test]
fn a_definition_in_yaml_has_its_variables_from_a_file() {
    let shell = Shell::start();
    let write = |name: &str, text: &str| {
        let path = shell.0.directory().join(name);
        std::fs::write(&path, text).expect("a file");
        path.display().to_string()
    };
    write("colours.env", "# of the shop\nCOLOUR='red' # for now\nSIZE=9\n");
    let text = "# The shop.\nid: /shop\ncmd: exec sleep 100000\ncpus: 0.01\nmem: 4\nenv_file: colours.env\nenv: {SIZE: '10'}\n";
    let file = write("shop.yaml", text);
    assert!(shell.text(&format!("app run {file}")).ends_with("done\n"));
    let app = shell.json("app show shop")[0].clone();
    assert_eq!(app["env"], json!({"COLOUR": "red", "SIZE": "10"}));
    let file = write("twice.yaml", &format!("{text}cpus: 1\n"));
    let told = shell.complaint(&format!("app run {file}"));
    assert!(told.contains("line 8, column 1 (at /cpus): the name \"cpus\" is there twice"), "{told}");
}
