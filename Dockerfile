# syntax=docker/dockerfile:1
# One image for sequencer, follower, claimant, deployment and the embedded L1, which is the last and
# so the default target; and the target `anvil` for the other L1. docker-compose.yml builds both.

FROM node:22.20.0-bookworm-slim AS tools
WORKDIR /tools
COPY tests/npm/package.json tests/npm/package-lock.json ./
# As scripts/tools.sh installs them: locked by hash, and nothing of theirs is run.
RUN npm ci --ignore-scripts --no-audit --no-fund --omit-lockfile-registry-resolved

FROM python:3.12.12-slim-bookworm AS anvil
RUN groupadd --system --gid 10002 anvil && useradd --system --uid 10002 --gid anvil --home-dir /chain anvil && install --directory --owner anvil --group anvil /chain
COPY --from=tools /tools/node_modules/@foundry-rs/anvil-linux-amd64/bin/anvil /tools/node_modules/@foundry-rs/cast-linux-amd64/bin/cast /usr/local/bin/
USER anvil
WORKDIR /chain
EXPOSE 8545
ENTRYPOINT ["anvil"]
CMD ["--help"]

FROM python:3.12.12-slim-bookworm AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /build
RUN python -m venv /opt/tallystick
COPY requirements/run.txt requirements/dev.txt requirements/
RUN /opt/tallystick/bin/pip install --require-hashes -r requirements/run.txt
# What builds the wheel is locked among the tools; none of them reaches the image.
RUN pip install --require-hashes -r requirements/dev.txt
COPY pyproject.toml README.md LICENSE ./
COPY contracts contracts
COPY state state
COPY sequencer sequencer
COPY prover prover
COPY node node
RUN python -m hatchling build --target wheel --directory /build/dist
RUN /opt/tallystick/bin/pip install --no-deps /build/dist/tallystick-*.whl
# Compiled once here, so that a deployment need not wait for it.
RUN TALLYSTICK_CACHE=/opt/tallystick/contracts /opt/tallystick/bin/python -P -c "from node.devnet.deployment import compiled; compiled()"

FROM python:3.12.12-slim-bookworm
RUN groupadd --system --gid 10001 tallystick && useradd --system --uid 10001 --gid tallystick --home-dir /data tallystick && install --directory --owner tallystick --group tallystick /data /deployment
COPY --from=build /opt/tallystick /opt/tallystick
ENV PATH=/opt/tallystick/bin:$PATH TALLYSTICK_CACHE=/opt/tallystick/contracts PYTHONUNBUFFERED=1
USER tallystick
WORKDIR /data
EXPOSE 9545 9546
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 CMD ["tallystick", "status", "--check"]
ENTRYPOINT ["tallystick"]
CMD ["--help"]
