"use strict";

const place = document.getElementById("swagger");
SwaggerUIBundle({
  url: place.dataset.document,
  domNode: place,
  docExpansion: "list",
  defaultModelsExpandDepth: 0,
  deepLinking: true,
  validatorUrl: null,
  // Without this header every POST tried from the page would be refused.
  requestInterceptor(request) {
    if (request.method === "POST") request.headers["Idempotency-Key"] ||= crypto.randomUUID();
    return request;
  },
});
