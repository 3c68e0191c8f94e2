//! The source names no registry: whoever builds or runs this decides where packages come from.

use std::fs;
use std::path::Path;

#[test]
fn no_line_of_the_source_names_a_registry_host() {
    fn check(folder: &Path) -> usize {
        let mut files = 0;
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                files += check(&path);
            } else {
                let text = fs::read_to_string(&path).unwrap();
                for host in ["npmjs", "yarnpkg", "npmmirror", "github.com"] {
                    assert!(!text.contains(host), "{host} in {}", path.display());
                }
                files += 1;
            }
        }
        files
    }
    assert!(check(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src")) > 20);
}
