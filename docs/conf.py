"""The site of the documentation: `make docs`."""

from importlib.metadata import version as installed

project = "Onespike"
release = installed("onespike")
extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx.ext.viewcode"]

html_theme = "furo"
html_title = "Onespike"
html_theme_options = {"navigation_with_keys": True}
# Pages open from a folder, without a server, and load nothing from anywhere
html_copy_source = False
# The licence names who holds it
html_show_copyright = False

# Notebooks are Python with comments in Markdown, and run while the site is built
nb_custom_formats = {".py": ["jupytext.reads", {"fmt": "py:percent"}]}
nb_execution_mode = "cache"
nb_execution_cache_path = "../build/notebooks"
nb_execution_in_temp = True
nb_execution_raise_on_error = True
nb_execution_timeout = 300
exclude_patterns = ["conf.py", "litex"]

myst_heading_anchors = 4
# A link to a line of code without a language is no mistake
highlight_language = "none"
# Shapes and units stand in the docstrings; types are in the signatures
autodoc_typehints = "signature"
autodoc_member_order = "bysource"
napoleon_use_ivar = True
# Types of other packages have no page here
nitpicky = False
