"""``sphinx-build -W docs docs/build/html``: the documentation as a static site."""

import fastinit

project = "fastinit"
copyright = "the fastinit authors"
version = release = fastinit.__version__
extensions = ["sphinx.ext.autodoc", "sphinx.ext.autosummary", "numpydoc", "myst_parser"]
exclude_patterns = ["build/html", "build/doctrees", "templates"]
myst_heading_anchors = 3
numpydoc_show_class_members = False
numpydoc_class_members_toctree = False
autosummary_generate = True
templates_path = ["templates"]
autodoc_typehints = "none"
default_role = "code"
html_theme = "pydata_sphinx_theme"
html_title = "fastinit"
html_sidebars = {page: [] for page in ("[!ab]*", "audit")}  # the API alone has pages beneath
html_show_sourcelink = False
html_theme_options = {"navbar_end": ["theme-switcher"], "show_toc_level": 2, "secondary_sidebar_items": ["page-toc"],
                      "navigation_with_keys": False, "header_links_before_dropdown": 4}
html_context = {"default_mode": "light"}
