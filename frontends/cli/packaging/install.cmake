# What `cmake --install` and `cpack` put where: the command line with its data, manual page and shell
# completion, and the libraries with their headers, a CMake package and a pkg-config file.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(VERNIER_DATA_DIR "${CMAKE_INSTALL_DATADIR}/vernier")
set(VERNIER_HEADER_DIR "${CMAKE_INSTALL_INCLUDEDIR}/vernier")
set(VERNIER_CMAKE_DIR "${CMAKE_INSTALL_LIBDIR}/cmake/Vernier")

install(TARGETS vernier RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}")
install(DIRECTORY configs DESTINATION "${VERNIER_DATA_DIR}")
install(DIRECTORY validation DESTINATION "${VERNIER_DATA_DIR}"
        FILES_MATCHING PATTERN "*.csv" PATTERN "*.yaml")
install(FILES LICENSE NOTICE README.md DESTINATION "${CMAKE_INSTALL_DOCDIR}")
install(FILES docs/result.schema.json docs/diff.schema.json DESTINATION "${VERNIER_DATA_DIR}")

# Manual page and completion come out of the program's own command definitions.
set(manual_dir "${CMAKE_BINARY_DIR}/manual")
add_custom_command(
  OUTPUT "${manual_dir}/vernier.1" "${manual_dir}/vernier"
  COMMAND "${CMAKE_COMMAND}" -E make_directory "${manual_dir}"
  COMMAND vernier manual man --output "${manual_dir}/vernier.1"
  COMMAND vernier manual bash --output "${manual_dir}/vernier"
  DEPENDS vernier VERBATIM)
add_custom_target(vernier_manual ALL DEPENDS "${manual_dir}/vernier.1" "${manual_dir}/vernier")
install(FILES "${manual_dir}/vernier.1" DESTINATION "${CMAKE_INSTALL_MANDIR}/man1")
install(FILES "${manual_dir}/vernier"
        DESTINATION "${CMAKE_INSTALL_DATADIR}/bash-completion/completions")

# Libraries from the floor upwards; each is a component of find_package(Vernier).
set(link_line "")
foreach(name IN ITEMS arch_base arch memory energy dataflow_graph dataflow_machine dataflow_mapping
                      dataflow_schedule dataflow_result dataflow_evaluate dataflow_search
                      dataflow_surrogate frontends_report frontends_topology frontends_tflite
                      frontends_onnx frontends_aimet frontends_models frontends_c
                      frontends_scalesim validation)
  if(NOT TARGET ${name})
    continue()
  endif()
  install(TARGETS ${name} EXPORT VernierTargets ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}")
  get_target_property(folder ${name} VERNIER_FOLDER)
  install(DIRECTORY "${folder}/" DESTINATION "${VERNIER_HEADER_DIR}/${folder}"
          FILES_MATCHING PATTERN "*.hpp" PATTERN "*.h" PATTERN "systemc" EXCLUDE)
  get_target_property(kind ${name} TYPE)
  if(kind STREQUAL "STATIC_LIBRARY")
    string(PREPEND link_line "-lvernier_${name} ")
  endif()
endforeach()
install(TARGETS vernier_yaml EXPORT VernierTargets)
install(EXPORT VernierTargets NAMESPACE Vernier:: DESTINATION "${VERNIER_CMAKE_DIR}")

configure_package_config_file(
  "${CMAKE_CURRENT_LIST_DIR}/VernierConfig.cmake.in" "${CMAKE_BINARY_DIR}/VernierConfig.cmake"
  INSTALL_DESTINATION "${VERNIER_CMAKE_DIR}" PATH_VARS VERNIER_DATA_DIR)
write_basic_package_version_file("${CMAKE_BINARY_DIR}/VernierConfigVersion.cmake"
                                 COMPATIBILITY SameMinorVersion)
install(FILES "${CMAKE_BINARY_DIR}/VernierConfig.cmake"
              "${CMAKE_BINARY_DIR}/VernierConfigVersion.cmake"
        DESTINATION "${VERNIER_CMAKE_DIR}")

string(STRIP "${link_line}" link_line)
configure_file("${CMAKE_CURRENT_LIST_DIR}/vernier.pc.in" "${CMAKE_BINARY_DIR}/vernier.pc" @ONLY)
install(FILES "${CMAKE_BINARY_DIR}/vernier.pc" DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig")

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME vernier)
set(CPACK_PACKAGE_VENDOR "The Vernier developers")
set(CPACK_PACKAGE_CONTACT "The Vernier developers")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "${PROJECT_DESCRIPTION}")
set(CPACK_RESOURCE_FILE_LICENSE "${CMAKE_SOURCE_DIR}/LICENSE")
set(CPACK_DEBIAN_PACKAGE_MAINTAINER "The Vernier developers")
set(CPACK_DEBIAN_PACKAGE_SECTION science)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_SUGGESTS
    "libfmt-dev, libyaml-cpp-dev, libtbb-dev, libboost1.74-dev, nlohmann-json3-dev, libonnx-dev, libprotobuf-dev")
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
include(CPack)
