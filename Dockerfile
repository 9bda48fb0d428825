# The worker, with its workflow bundle made beforehand. Build: docker build -t deploy-to-done .
FROM node:24-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts
COPY . .
RUN npm run build \
 && npm prune --omit=dev --ignore-scripts \
 # The SDK ships its core for every platform: only this one's is taken along.
 && find node_modules/@temporalio/core-bridge/releases -mindepth 1 -maxdepth 1 -type d \
      ! -name "$(uname -m | sed 's/arm64/aarch64/')-unknown-linux-gnu" -exec rm -rf {} +

FROM node:24-bookworm-slim
# The core checks Temporal's certificate against the roots of the system, which the slim image lacks.
RUN apt-get update \
 && apt-get install --yes --no-install-recommends ca-certificates \
 && rm -rf /var/lib/apt/lists/*
ENV NODE_ENV=production \
    NODE_OPTIONS="--max-old-space-size=768" \
    ORCH_ARTEFACTS_DIR=/artefacts
WORKDIR /app
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
RUN install --directory --owner=node --group=node /artefacts \
 && ln -s /app/dist/client/d2d.js /usr/local/bin/d2d
USER node
VOLUME /artefacts
CMD ["node", "dist/worker.js"]
