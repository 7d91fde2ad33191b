FROM node:24-slim AS install
WORKDIR /daybook
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev

FROM node:24-slim
WORKDIR /daybook
ENV NODE_ENV=production HOST=0.0.0.0 LOG_TO=stdout DAYBOOK_DATA=/data
COPY --from=install /daybook/node_modules node_modules
COPY package.json ./
COPY domain domain
COPY commands commands
COPY projections projections
COPY api api
COPY ml ml
COPY infra infra
RUN mkdir /data && chown node:node /data
USER node
VOLUME /data
EXPOSE 8080
CMD ["node", "--max-semi-space-size=64", "infra/main.ts", "--empty"]
