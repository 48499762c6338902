# make run    opens Hourglass in the browser
# make serve  serves it on your local network: make serve ADDRESS=0.0.0.0 PORT=8501 WORKERS=4 HOSTS="host names it answers to"
# make test   runs all tests, including those in a browser
# make check  checks formatting, lint and types
# Needs Python 3.11 or later; everything else is installed into .venv on first use.
.POSIX:

VENV = .venv
BIN = $(VENV)/bin

ADDRESS = 0.0.0.0
PORT = 8501
WORKERS =
HOSTS = *

run: $(VENV)/app.installed
	$(BIN)/streamlit run app.py

serve: $(VENV)/app.installed
	@set -f; HOURGLASS_WORKERS=$(WORKERS) exec $(BIN)/streamlit run app.py --server.headless=true \
		--server.address=$(ADDRESS) --server.port=$(PORT) --browser.serverAddress="$$(hostname)" \
		$$(printf -- '--server.allowedHosts=%s ' $(HOSTS))

# Where bytecode is not kept, each worker takes twice as long to find the tests.
test: $(VENV)/tests.installed browser
	PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest -n 6 --dist loadfile --no-loadscope-reorder $(TESTS)

check: $(VENV)/tests.installed
	$(BIN)/ruff format --check --quiet
	$(BIN)/ruff check --quiet
	$(BIN)/mypy --no-error-summary

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache

$(BIN)/python:
	@for python in python3.11 python3.12 python3.13 python3; do \
		if $$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2> /dev/null; then \
			$$python -m venv $(VENV) && exit 0; \
			echo "$$python could not make a virtual environment. Its venv module may be missing. On Debian: apt install python3-venv." >&2; \
			exit 1; \
		fi; \
	done; \
	echo "Hourglass needs Python 3.11 or later; none was found. Install it, then run make again." >&2; \
	exit 1

$(VENV)/app.installed: $(BIN)/python requirements.txt
	@echo "Installing the requirements of Hourglass (takes some minutes the first time)"
	@$(BIN)/python -m pip install -qq --disable-pip-version-check -r requirements.txt
	@touch $@

$(VENV)/tests.installed: $(VENV)/app.installed .ci/requirements.txt
	@echo "Installing the requirements of the tests"
	@$(BIN)/python -m pip install -qq --disable-pip-version-check -r .ci/requirements.txt
	@touch $@

# A Chromium for the tests: the system's, else Debian's, else Playwright's. Checked each time, since it can be removed.
browser: $(VENV)/tests.installed
	@$(BIN)/python tests/browser.py > /dev/null 2>&1 || \
		{ command -v apt-get > /dev/null && [ "$$(id -u)" = 0 ] && \
			apt-get -qq update && apt-get -qq install -y chromium > /dev/null; } || \
		$(BIN)/playwright install chromium
