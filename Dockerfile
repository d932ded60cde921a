# Threadwise in a container: the bot, its packages as they are locked, and the model.
# Any image with Python 3.11 or newer and its module venv will do as the base.
ARG BASE=docker.io/library/python:3.13-slim-bookworm

# hadolint ignore=DL3006
FROM ${BASE} AS build
ARG PIP_INDEX_URL
WORKDIR /build
COPY requirements/container.txt requirements/container.txt
RUN python3 -m venv /opt/threadwise \
    && /opt/threadwise/bin/python -m pip install --no-cache-dir --disable-pip-version-check \
        --require-hashes --requirement requirements/container.txt
COPY pyproject.toml README.md LICENSE ./
COPY bot bot
COPY cogs cogs
COPY seeds seeds
RUN /opt/threadwise/bin/python -m pip install --no-cache-dir --disable-pip-version-check \
        --no-deps --no-build-isolation . \
    && /opt/threadwise/bin/threadwise model fetch \
    && /opt/threadwise/bin/python -m pip uninstall --yes hatchling editables setuptools pip

# hadolint ignore=DL3006
FROM ${BASE}
COPY --from=build /opt/threadwise /opt/threadwise
# An account by its number needs no entry in the base's list of users.
RUN mkdir -p /data /srv/threadwise && chown 10001:10001 /data && chmod 700 /data
ENV PATH=/opt/threadwise/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    HOME=/tmp \
    DATA_DIR=/data \
    METRICS_PORT=9464
USER 10001:10001
# Threads in /srv/threadwise/seeds take the place of those that come with the bot.
WORKDIR /srv/threadwise
VOLUME /data
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s \
    CMD ["python3", "-c", "import os, urllib.request as r; r.urlopen(f'http://127.0.0.1:{os.environ[\"METRICS_PORT\"]}/healthz', timeout=4)"]
ENTRYPOINT ["threadwise"]
CMD ["run"]
