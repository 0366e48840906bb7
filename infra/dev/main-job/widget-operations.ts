/** The site owner's operation of the widget job; a visitor's are those of everybody (widget/PROTOCOL.md §3). */
export const instanceBrand = /* GraphQL */ `
  mutation ($input: InstanceBrandInput!) {
    instanceBrand(input: $input) {
      instance {
        id
        endpoint {
          widgetKey
        }
        branding {
          allowedDomains
          contrastRepairs {
            what
            asked
            used
          }
        }
      }
      errors {
        code
        message
        field
      }
    }
  }
`;
