// contract.mjs - the contract that is served, and what is changed in it while it is.
export const contractOf = ({ hasRemark, nameMax }) => `extend schema @service(name: "soak", version: "v1")

type Product @resource @access(read: "true", write: "true") @index(fields: ["number"]) {
  id: ID!
  name: String! @length(max: ${nameMax})
  price: Decimal! @range(min: "0")
  number: Int!
${hasRemark ? '  remark: String\n' : ''}  reviews: [Review!]!
}

type Review @resource @access(read: "true", write: "true") @index(fields: ["product"]) {
  id: ID!
  product: Product! @relation(onDelete: CASCADE)
  stars: Int! @range(min: 1, max: 5)
  text: String!
}
`;
