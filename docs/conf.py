"""How Sphinx builds these pages (`make docs`); they open offline, formulas become MathML."""

from docutils.nodes import SkipNode
from latex2mathml.converter import convert

project = "LUSCo"
author = "the authors of LUSCo"
extensions = ["myst_parser"]
exclude_patterns = ["_build"]
html_theme = "furo"
html_title = "LUSCo"
html_static_path = ["_static"]
html_css_files = ["formulas.css"]
html_copy_source = False
html_show_sphinx = False
myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 3
html_math_renderer = "mathml"


def _formula(display):
    def visit(self, node):
        self.body.append(convert(node.astext(), display=display))
        raise SkipNode

    return visit


def setup(app):
    app.add_html_math_renderer("mathml", (_formula("inline"), None), (_formula("block"), None))
