using Chaperone.Clinic.Patients;

namespace Chaperone.Clinic.Imports;

/// <summary>The fields of patients. Identifiers are <c>identifier.</c> and a code of <see cref="PersonCodes.IdentifierTypes"/>.</summary>
internal static class ImportFields
{
    public const string ExternalId = "external_id", Other = "other", IdentifierPrefix = "identifier.";
    public const string Id = "id", Status = "status", RegisteredAt = "registered_at", ArchivedAt = "archived_at", ArchiveReason = "archive_reason", ArchiveNote = "archive_note",
        BirthUnknown = "date_of_birth_unknown", OtherJson = "other_details", ExternalIdsJson = "external_ids";

    public static ImportFieldList List { get; } = new(
    [
        new(ExternalId, "Id in the other system", "The record", "externalIds", ["externalid", "patientid", "id", "uuid", "recordid", "legacyid", "pid"]),
        new("prefix", "Title", "Name", "prefix", ["prefix", "title", "salutation"]),
        new("given_names", "Given names", "Name", "givenNames", ["givennames", "givenname", "firstname", "first", "forename", "forenames", "firstnames", "vorname"]),
        new("family_name", "Family name", "Name", "familyName", ["familyname", "lastname", "last", "surname", "nachname"]),
        new("suffix", "Suffix", "Name", "suffix", ["suffix"]),
        new("previous_name", "Previous family name", "Name", "previousName", ["previousname", "maidenname", "maiden", "formername", "birthname"]),
        new("date_of_birth", "Date of birth", "Person", "dateOfBirth", ["dateofbirth", "birthdate", "dob", "born", "birthday", "geburtsdatum"]),
        new("date_of_death", "Date of death", "Person", "dateOfDeath", ["dateofdeath", "deathdate", "dod", "died", "deceased"]),
        new("gender", "Gender", "Person", "gender", ["gender", "sex", "administrativegender"]),
        new("marital_status", "Marital status", "Person", "maritalStatus", ["maritalstatus", "marital"]),
        new("ethnicity", "Ethnicity", "Person", "ethnicity", ["ethnicity", "ethnicgroup", "ethnicorigin"]),
        new("race", "Race", "Person", "race", ["race"]),
        new("birth_place", "Place of birth", "Person", "birthPlace", ["birthplace", "placeofbirth"]),
        new("nhs_number", "NHS number", "Identifiers", "nhsNumber", ["nhsnumber", "nhsno", "nhs"]),
        .. PersonCodes.IdentifierTypes.Select(type => new ImportField(IdentifierPrefix + type.Value, type.Label, "Identifiers", "identifiers", IdentifierNames(type.Value))),
        new("phone", "Telephone", "Contact", "phone", ["phone", "telephone", "phonenumber", "telephonenumber", "tel", "homephone", "hometelephone", "landline"]),
        new("mobile", "Mobile", "Contact", "mobile", ["mobile", "mobilephone", "mobilenumber", "cell", "cellphone", "handy"]),
        new("email", "Email", "Contact", "email", ["email", "emailaddress", "mail"]),
        new("address_line_1", "Address, line 1", "Address", "address.lines", ["addressline1", "address1", "address", "street", "streetaddress", "line1", "strasse"]),
        new("address_line_2", "Address, line 2", "Address", "address.lines", ["addressline2", "address2", "line2"]),
        new("address_line_3", "Address, line 3", "Address", "address.lines", ["addressline3", "address3", "line3"]),
        new("address_line_4", "Address, line 4", "Address", "address.lines", ["addressline4", "address4", "line4"]),
        new("address_line_5", "Address, line 5", "Address", "address.lines", ["addressline5", "address5", "line5"]),
        new("city", "Town or city", "Address", "address.city", ["city", "town", "posttown", "ort"]),
        new("county", "County", "Address", "address.county", ["county"]),
        new("state", "State", "Address", "address.state", ["state", "province"]),
        new("postcode", "Postcode", "Address", "address.postcode", ["postcode", "zip", "zipcode", "postalcode", "plz"]),
        new("country", "Country", "Address", "address.country", ["country", "nation"]),
        new(Other, "Keep as a further detail", "Other", "other", []),
        new(Id, "Record", "", "externalIds", [], true),
        new(Status, "Status", "", "status", [], true),
        new(RegisteredAt, "Registered", "", "registeredAt", [], true),
        new(ArchivedAt, "Archived", "", "archivedAt", [], true),
        new(ArchiveReason, "Reason for archiving", "", "archiving", [], true),
        new(ArchiveNote, "Note on archiving", "", "archiving", [], true),
        new(BirthUnknown, "Date of birth not known", "", "dateOfBirthUnknown", [], true),
        new(OtherJson, "Further details", "", "other", [], true),
        new(ExternalIdsJson, "Ids in other systems", "", "externalIds", [], true),
    ]);

    private static string[] IdentifierNames(string type) => type switch
    {
        "passport" => ["passport", "passportnumber", "passportno"],
        "driving_licence" => ["drivinglicence", "drivinglicense", "driverslicense", "driverslicence", "drivers", "licence", "license"],
        "ssn" => ["ssn", "socialsecuritynumber"],
        "ni_number" => ["ninumber", "nino", "nationalinsurance", "nationalinsurancenumber"],
        "national_id" => ["nationalid", "identitycard"],
        "hospital_number" => ["hospitalnumber", "mrn", "hospitalno"],
        "insurance" => ["insurancenumber", "policynumber", "insurance"],
        _ => [],
    };
}
