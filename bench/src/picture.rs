//! A chart as two files: SVG, and PNG for where that is not shown. Letters of the PNG are drawn with a font of this
//! machine; without any there is none.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::{Options, Tree, fontdb};

/// Twice the size of the SVG, for screens with many dots.
const SCALE: f32 = 2.0;

/// The directories of fonts.
const FONTS: [&str; 2] = ["/usr/share/fonts", "/usr/local/share/fonts"];

/// Fonts that look as the chart is drawn for, by the beginnings of their files' names. Any other will do.
const GOOD: [&str; 3] = ["DejaVuSans", "LiberationSans", "Arial"];

/// Writes `name`.svg and `name`.png. The latter may be missing, which is said.
pub(crate) fn keep(svg: &str, directory: &Path, name: &str) -> anyhow::Result<()> {
    fs::write(directory.join(format!("{name}.svg")), svg)?;
    let png = directory.join(format!("{name}.png"));
    if let Err(error) = write_png(svg, &png) {
        let _there_was_none = fs::remove_file(&png);
        eprintln!("no {}: {error:#}", png.display());
    }
    Ok(())
}

fn write_png(svg: &str, file: &Path) -> anyhow::Result<()> {
    let options = Options { fontdb: Arc::new(fonts()?), ..Options::default() };
    let tree = Tree::from_str(svg, &options)?;
    let size = tree.size().to_int_size().scale_by(SCALE).context("the chart is too large")?;
    let mut pixels = Pixmap::new(size.width(), size.height()).context("the chart is empty")?;
    resvg::render(&tree, Transform::from_scale(SCALE, SCALE), &mut pixels.as_mut());
    Ok(pixels.save_png(file)?)
}

/// One family, in all its weights, which is what 'sans-serif' means.
fn fonts() -> anyhow::Result<fontdb::Database> {
    let files: Vec<PathBuf> = FONTS.iter().flat_map(|directory| files(Path::new(directory))).collect();
    let begins =
        |file: &&PathBuf, with: &str| file.file_name().is_some_and(|name| name.to_string_lossy().starts_with(with));
    let good = GOOD.iter().map(|name| files.iter().filter(|file| begins(file, name)).collect::<Vec<_>>());
    let chosen = good.into_iter().find(|found| !found.is_empty()).unwrap_or_else(|| files.iter().take(1).collect());
    let mut fonts = fontdb::Database::new();
    chosen.into_iter().filter_map(|file| fs::read(file).ok()).for_each(|font| fonts.load_font_data(font));
    let family = fonts.faces().find_map(|face| Some(face.families.first()?.0.clone()));
    fonts.set_sans_serif_family(
        family.context("this machine has no fonts, such as those of the package fonts-dejavu-core")?,
    );
    Ok(fonts)
}

/// All below a directory that may be fonts.
fn files(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten().map(|entry| entry.path());
    let (directories, files): (Vec<_>, Vec<_>) = entries.partition(|path| path.is_dir());
    let is_font = |file: &PathBuf| file.extension().is_some_and(|end| end == "ttf" || end == "otf");
    let below = directories.iter().flat_map(|directory| self::files(directory));
    let mut fonts: Vec<_> = files.into_iter().filter(is_font).chain(below).collect();
    fonts.sort();
    fonts
}
