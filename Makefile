# `make` lists the targets. `make setup` finds a Python 3.11 to 3.13 itself; override: PYTHON=python3.12

SHELL := bash
BIN := .venv/bin
PURE := not slow and not browser and not screen and not postgresql
CODE := $(wildcard main.py shared server mobile gridledger tests bench tools android)

# Bytecode is kept even where the system says otherwise: the tests start some hundred programs, and
# compiling anew costs each two seconds.
export PYTHONDONTWRITEBYTECODE :=

# The .venv's own Python where there is one, else the first that starts and is of a fitting version.
FITS = -c 'import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))'
define find_python
for python in $(PYTHON) $(if $(PYTHON),,$(BIN)/python python3.13 python3.12 python3.11 python3); do \
  if "$$python" $(FITS) 2>/dev/null; then found=$$python; break; fi; \
done; \
if [ -z "$${found:-}" ]; then \
  echo "没有找到可用的 Python 3.11、3.12 或 3.13（要带 venv）。请先安装，或用 make setup PYTHON=路径 指定。"; \
  echo "No usable Python 3.11, 3.12 or 3.13 (with venv) was found. Install one, or name it: make setup PYTHON=path"; \
  exit 1; \
fi
endef

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help setup setup-test setup-apk demo test test-fast lint format bench screenshots golden apk check-apk lock clean

help: ## list these targets / 列出全部命令
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 20

setup: ## install what is missing; nothing to do when up to date / 安装
	@$(find_python); "$$found" tools/setup.py

setup-test:
	@$(find_python); "$$found" tools/setup.py --test

setup-apk:
	@$(find_python); "$$found" tools/setup.py --apk

demo: setup ## a seeded demo, ready to click through / 演示
	$(BIN)/gridledger demo $(ARGS)

test: setup-test lint ## everything: lint, all tests, coverage / 全部测试
	$(BIN)/python -m pytest -n 2 --dist worksteal --cov --cov-report=term $(ARGS)

test-fast: setup ## the pure tests, seconds / 快速测试
	$(BIN)/python -m pytest -q -m "$(PURE)" tests/shared tests/core tests/mobile $(ARGS)

lint: setup ## style, types, import rules / 代码检查
	$(BIN)/ruff check $(CODE)
	$(BIN)/ruff format --check $(CODE)
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

format: setup ## let ruff lay out the code / 整理代码格式
	$(BIN)/ruff check --fix $(CODE)
	$(BIN)/ruff format $(CODE)

bench: setup ## every benchmark / 性能测试
	$(BIN)/python -m bench $(ARGS)

screenshots: setup-test ## pictures of the web pages and the phone app / 界面截图
	$(BIN)/python -m tests.screenshots $(ARGS)

apk: setup-apk ## the Android package, where Java, Rust and an SDK are; ARGS=release / 打包安卓应用
	$(BIN)/python tools/apk.py $(ARGS)

check-apk: setup-apk ## check the Android package without an SDK / 检查安卓打包
	$(BIN)/python tools/check_apk.py $(ARGS)

golden: setup-test ## draw the golden pictures of the phone's pages anew / 更新界面基准图
	$(BIN)/python -m tests.screens.golden_pages

lock: setup ## write the lock files anew; ARGS=--upgrade: newest versions / 更新依赖锁定文件
	$(BIN)/python tools/lock.py $(ARGS)

clean: ## remove what set-up, tests and demo made / 清除
	rm -rf .venv .venv-apk .buildozer node_modules server/web/static/vendor mobile/assets/fonts build dist *.egg-info
	rm -rf .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis .coverage* htmlcov
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
