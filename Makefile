# One command a task; each sets up what it needs in .venv by itself.
.PHONY: demo up test test-long check bench synth deploy bootstrap layers images pins clean cdk-if-possible triton triton-if-possible
.DELETE_ON_ERROR:

PYTHON ?= python3
BIN := .venv/bin
READY := .venv/ready
CDK := .cache/cdk-cli/ready
PEERS := .cache/peers/ready
TRITON := .cache/triton/ready
LAYERS := build/layers/ready
ARCH ?= x86_64
BYTECODE ?= yes
TESTS := $(BIN)/python -m pytest -m "not long"
# These start clouds and storms, and want the machine for themselves.
CLOUDS := tests/chaos tests/e2e
SIDE_BY_SIDE := -n 2 --dist loadfile tests/infrastructure tests/integration tests/unit

demo: $(READY)        ## the main job on real input, in a cloud on this machine
	$(BIN)/python -m infra.demo

up: $(READY)          ## the cloud on this machine, until Ctrl-C; PORT= picks the port
	$(BIN)/python -m infra.local

test: $(READY) $(LAYERS) cdk-if-possible triton-if-possible   ## everything that must always hold, in minutes
	$(TESTS) $(CLOUDS)
	$(TESTS) $(SIDE_BY_SIDE)

test-long: $(READY) $(LAYERS) cdk-if-possible triton-if-possible .venv/ready-long $(PEERS)   ## all of it: conformance, fuzz, soak, scale
	$(BIN)/python -m pytest --hypothesis-profile=searching

check: $(READY) $(LAYERS) cdk-if-possible triton-if-possible  ## form, types, ranks of imports, and the tests
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(TESTS) $(CLOUDS)
	$(TESTS) $(SIDE_BY_SIDE)

bench: $(READY) $(PEERS) triton-if-possible   ## what it costs over the floor and beside peers, in one run
	$(BIN)/python -m tests.benchmarks

synth: $(READY)       ## the CloudFormation templates, into cdk.out/
	$(BIN)/python -m infra.aws

deploy: $(READY) $(CDK)    ## both stacks, into the account of your AWS credentials; STAGE=prod, CDK_ARGS=
	$(BIN)/python -m infra.cdk_cli deploy --all $(CDK_ARGS)

bootstrap: $(READY) $(CDK) ## once for each account and region, before the first deploy
	$(BIN)/python -m infra.cdk_cli bootstrap $(CDK_ARGS)

layers: $(READY)      ## all that Lambda mounts, into build/; ARCH=arm64, BYTECODE=no
	$(BIN)/python -m infra.aws.build_command $(ARCH) --bytecode=$(BYTECODE)

images: $(READY)      ## whether the table of AWS's Triton images is still AWS's own
	$(BIN)/python -m infra.aws.triton_images

triton: $(TRITON)     ## the real tritonserver, for tests and the cloud on this machine

pins: $(READY)        ## resolve pyproject.toml again into requirements/ and layers/*/requirements.txt
	$(BIN)/python -m infra.pins

clean:                ## back to a fresh clone
	rm -rf .venv .headrace .cache build cdk.out .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(READY): requirements/dev.txt pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements/dev.txt
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation -e .
	touch $@

# Tests look at built layers and never fetch a package themselves.
$(LAYERS): $(wildcard layers/*/requirements.txt) infra/aws/build_layers.py infra/aws/layer_trim.py $(READY)
	$(BIN)/python -m infra.aws.build_command --layers-only --bytecode=if-possible
	touch $@

$(CDK): infra/cdk_cli.py $(READY)
	$(BIN)/python -m infra.cdk_cli install
	touch $@

# The tests of the real command line are skipped, and say so, where npm's registry is out of reach.
cdk-if-possible: $(READY)
	@test -e $(CDK) || $(MAKE) --no-print-directory $(CDK) || echo "The CDK's command line cannot be had."

$(TRITON): requirements/triton.txt $(READY)
	$(BIN)/python -m infra.local.triton.wheel

# The stand-in serves where Triton's wheel cannot be had or does not run: macOS, musl, an old glibc.
triton-if-possible: $(READY)
	@$(MAKE) --silent --no-print-directory $(TRITON) || echo "The stand-in serves models here."

.venv/ready-long: requirements/long.txt $(READY)
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements/long.txt
	touch $@

# Apart from .venv: pyarrow imports pandas wherever it finds it.
$(PEERS): requirements/bench.txt $(READY)
	rm -rf $(@D)
	$(BIN)/python -m pip install --quiet --require-hashes --target $(@D) -r requirements/bench.txt
	touch $@
